// One measurement of `speed`: one algorithm on one side, in a process of its own, so that none leaves anything to the
// next.
import { fork } from 'node:child_process';
import * as path from 'node:path';
import type { Side } from './algorithms';
import type { ImplementationOptions } from './implementation';

export interface MeasurementRequest {
  algorithm: string;
  side: Side;
  inFlight: number;
  seconds: number;
  /** Of the messages that digests and ciphers get. */
  bytes: number;
  implementation: ImplementationOptions;
  /** Whether progress is wanted, which costs a little. */
  live: boolean;
}

export interface Figures {
  /** The function that was called. */
  what: string;
  operations: number;
  seconds: number;
  operationsPerSecond: number;
  bytesPerSecond?: number;
  /** How late a timer of one millisecond was, in milliseconds. */
  delayMs: { p50: number; p99: number; max: number };
  /** Shares of one core. That of the event loop's thread is null where it is not known. */
  cpu: { mainThread: number | null; process: number };
  /** Where the operations of this library ran, of all, and how often their jobs paused. */
  placement?: { inline: number; pool: number; threadpool: number; jobs: number; pausesPerOperation: number };
}

export interface Failure {
  code?: string;
  message: string;
}

/** `absent`: this Node.js has no such form. */
export type Measurement = { figures: Figures } | { absent: true } | { failure: Failure };

export interface Progress {
  operations: number;
  seconds: number;
}

/** What the process says. */
export type MeasurementMessage = { progress: Progress } | Measurement;

const PROGRAM = path.join(__dirname, 'measurement-process.js');
// For the calls in flight to end.
const GRACE_MS = 2000;
const START_LIMIT_MS = 60_000;

export function measure(request: MeasurementRequest, onProgress: (progress: Progress) => void): Promise<Measurement> {
  return new Promise((resolve, reject) => {
    const child = fork(PROGRAM, [JSON.stringify(request)], { stdio: ['ignore', 'ignore', 'pipe', 'ipc'] });
    let measurement: Measurement | undefined;
    let stderr = '';
    let timer = setTimeout(kill, START_LIMIT_MS + 2000 * request.seconds);
    function kill(): void {
      child.kill('SIGKILL');
    }
    const interrupt = (signal: NodeJS.Signals): void => {
      kill();
      process.exit(signal === 'SIGINT' ? 130 : 143);
    };
    process.once('SIGINT', interrupt).once('SIGTERM', interrupt);
    const over = (): void => {
      clearTimeout(timer);
      process.removeListener('SIGINT', interrupt).removeListener('SIGTERM', interrupt);
    };
    child.stderr?.setEncoding('utf8').on('data', (text: string) => (stderr += text));
    child.on('message', (message: MeasurementMessage) => {
      if ('progress' in message) {
        onProgress(message.progress);
        return;
      }
      measurement = message;
      clearTimeout(timer);
      timer = setTimeout(kill, GRACE_MS);
    });
    child.on('error', (error) => {
      over();
      reject(error);
    });
    child.on('close', (code, signal) => {
      over();
      const last = stderr.trim().split('\n').at(-1) ?? '';
      const message = `The measurement ended with ${signal ?? `status ${String(code)}`}${last === '' ? '' : `: ${last}`}`;
      resolve(measurement ?? { failure: { message } });
    });
  });
}
