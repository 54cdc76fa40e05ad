// One side of an algorithm in a process of its own: it prepares, then measures a round on each request. In between it
// is idle, while the other sides have their rounds.
import { fork, type ChildProcess } from 'node:child_process';
import * as path from 'node:path';
import type { RoundFigures } from './figures';
import type { ImplementationOptions } from './implementation';
import type { Side } from './sides';

export interface MeasurementRequest {
  algorithm: string;
  side: Side;
  inFlight: number;
  /** The size of messages for digests and ciphers. */
  bytes: number;
  implementation: ImplementationOptions;
  /** Whether progress is wanted, which costs a little. */
  live: boolean;
}

export interface RoundRequest {
  seconds: number;
  warmUpMs: number;
}

/** A command to the process. */
export type MeasurementCommand = RoundRequest | 'end';

export interface Failure {
  code?: string;
  message: string;
}

export interface Progress {
  operations: number;
  seconds: number;
}

/** `ready`: the function that will be called. `absent`: this Node.js has no such form. */
export type MeasurementAnswer = { ready: string } | { absent: true } | { round: RoundFigures } | { failure: Failure };

/** A message from the process. */
export type MeasurementMessage = { progress: Progress } | MeasurementAnswer;

const PROGRAM = path.join(__dirname, 'measurement-process.js');
const ANSWER_LIMIT_MS = 60_000;
const END_LIMIT_MS = 2000;

export class MeasurementProcess {
  readonly #child: ChildProcess;
  readonly #closed: Promise<void>;
  #answer: ((answer: MeasurementAnswer) => void) | undefined;
  #onProgress: ((progress: Progress) => void) | undefined;
  #ended: Failure | undefined;
  #stderr = '';

  /** The process is killed when `interrupt` is aborted. */
  constructor(request: MeasurementRequest, interrupt: AbortSignal) {
    const child = fork(PROGRAM, [JSON.stringify(request)], { stdio: ['ignore', 'ignore', 'pipe', 'ipc'] });
    this.#child = child;
    child.stderr?.setEncoding('utf8').on('data', (text: string) => (this.#stderr += text));
    child.on('message', (message: MeasurementMessage) => {
      if ('progress' in message) this.#onProgress?.(message.progress);
      else this.#answer?.(message);
    });
    this.#closed = new Promise((resolve) => {
      const end = (how: string): void => {
        interrupt.removeEventListener('abort', kill);
        this.#end(how);
        resolve();
      };
      child.on('error', ({ message }) => {
        end(message);
      });
      child.on('close', (code, signal) => {
        end(signal ?? `status ${String(code)}`);
      });
    });
    const kill = (): void => {
      this.#kill();
    };
    if (interrupt.aborted) kill();
    else interrupt.addEventListener('abort', kill);
  }

  /** To be called once, first. */
  prepare(): Promise<MeasurementAnswer> {
    return this.#next(ANSWER_LIMIT_MS);
  }

  measureRound(request: RoundRequest, onProgress: (progress: Progress) => void): Promise<MeasurementAnswer> {
    this.#onProgress = onProgress;
    this.#send(request);
    return this.#next(ANSWER_LIMIT_MS + 2000 * request.seconds);
  }

  /** Resolves when the process is gone. */
  async end(): Promise<void> {
    // A `disconnect()` from this side would keep 'close' from coming.
    this.#send('end');
    const timer = setTimeout(() => {
      this.#kill();
    }, END_LIMIT_MS);
    await this.#closed;
    clearTimeout(timer);
  }

  #send(command: MeasurementCommand): void {
    if (this.#child.connected) this.#child.send(command);
  }

  #next(limitMs: number): Promise<MeasurementAnswer> {
    if (this.#ended !== undefined) return Promise.resolve({ failure: this.#ended });
    return new Promise((resolve) => {
      const timer = setTimeout(() => {
        this.#kill();
      }, limitMs);
      this.#answer = (answer) => {
        clearTimeout(timer);
        this.#answer = undefined;
        resolve(answer);
      };
    });
  }

  #end(how: string): void {
    const last = this.#stderr.trim().split('\n').at(-1) ?? '';
    this.#ended ??= { message: `The measurement ended with ${how}${last === '' ? '' : `: ${last}`}` };
    this.#answer?.({ failure: this.#ended });
  }

  #kill(): void {
    this.#child.kill('SIGKILL');
  }
}
