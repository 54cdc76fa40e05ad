// The common part of engines and providers of hardware: how their operations are waited for.
import { channel } from 'node:diagnostics_channel';
import { fromNative, invalidArgValue } from '../base/errors';
import type { NativeError } from '../native/contract/error';
import { WaitMode } from '../native/contract/tables';
import { environment } from '../native/environment';
import { readOptions, validateInteger, validateString } from '../base/validators';

/** How a device is made to look for responses that it does not announce. */
export interface DevicePollOptions {
  /** A command of the engine, or a parameter of the provider that is read. @defaultValue `'POLL'`, `'poll'` */
  command?: string;
  /**
   * Milliseconds between two looks while operations are in flight and no other look has found anything. 1 to 60 000.
   * @defaultValue 1
   */
  intervalMs?: number;
  /**
   * Operations in flight that are worth a look at the end of a turn of the event loop in which more of them begin.
   * When all of them wait, a look is taken anyway. 1 to 1 000 000. @defaultValue 48
   */
  asymThreshold?: number;
  /** The same, where none of those in flight works with a key pair. @defaultValue 24 */
  symThreshold?: number;
}

/** Options of hardware, for {@link loadProvider} and {@link loadEngine}. */
export interface HardwareOptions {
  /**
   * The event that wakes a paused operation: `'callback'` ignores wait fds, unless the device's engine or provider
   * never says by a status how it tells; `'fd'` gives the wait context no callback, so that fds are used; `'poll'` does
   * neither and tries again and again, as `configure({ poll })` says; `'auto'` takes what is offered. An operation that
   * offers an fd or a callback is resumed by that and by nothing else, however long it takes; an operation that offers
   * neither, or says `'again'`, is tried again and again. @defaultValue `'auto'`
   */
  wait?: 'auto' | 'callback' | 'fd' | 'poll';
  /** For a device that has to be polled. @defaultValue it is not */
  poll?: DevicePollOptions;
  /** For a device that can be asked whether it works. @defaultValue it is not asked */
  heartbeat?: HeartbeatOptions;
}

/** How a device is asked, again and again, whether it works. It does not keep the process alive. */
export interface HeartbeatOptions {
  /**
   * A command of the engine, which fails when the device does not work, or a parameter of the provider, which is 0
   * then.
   * @defaultValue `'HEARTBEAT_POLL'`, `'alive'`
   */
  command?: string;
  /** Milliseconds from one to the next. 1 to 2 147 483 647. @defaultValue 1000 */
  intervalMs?: number;
}

export const HARDWARE_OPTIONS = ['wait', 'poll', 'heartbeat'] as const;

type StartPolling = (
  command: string,
  intervalMs: number,
  asymThreshold: number,
  symThreshold: number,
) => NativeError | undefined;

/**
 * The hardware options of `given`, a result of readOptions(), with their members read once. Throws for wrong values.
 */
export function readHardwareOptions(given: Partial<Record<keyof HardwareOptions, unknown>>): HardwareOptions {
  const { wait } = given;
  if (wait !== undefined && !(typeof wait === 'string' && Object.hasOwn(WaitMode, wait))) {
    throw invalidArgValue('options.wait', wait, "must be 'auto', 'callback', 'fd' or 'poll'");
  }
  const heartbeat = given.heartbeat === undefined ? undefined : readHeartbeat(given.heartbeat);
  const poll = given.poll === undefined ? undefined : readPoll(given.poll);
  return { __proto__: null, wait, poll, heartbeat } as HardwareOptions;
}

function readHeartbeat(given: unknown): unknown {
  const heartbeat = readOptions(given, 'options.heartbeat', ['command', 'intervalMs']);
  const { command, intervalMs } = heartbeat;
  if (command !== undefined) validateString(command, 'options.heartbeat.command');
  if (intervalMs !== undefined) validateInteger(intervalMs, 'options.heartbeat.intervalMs', 1, 2 ** 31 - 1);
  return heartbeat;
}

function readPoll(given: unknown): unknown {
  const poll = readOptions(given, 'options.poll', ['command', 'intervalMs', 'asymThreshold', 'symThreshold']);
  const { command, intervalMs, asymThreshold, symThreshold } = poll;
  if (command !== undefined) validateString(command, 'options.poll.command');
  if (intervalMs !== undefined) validateInteger(intervalMs, 'options.poll.intervalMs', 1, 60_000);
  if (asymThreshold !== undefined) validateInteger(asymThreshold, 'options.poll.asymThreshold', 1, 1_000_000);
  if (symThreshold !== undefined) validateInteger(symThreshold, 'options.poll.symThreshold', 1, 1_000_000);
  return poll;
}

/** Sets how operations of `backend` are waited for. Throws the error that `start` reports. */
export function waitFor(backend: string, options: HardwareOptions, command: string, start: StartPolling): void {
  const { wait = 'auto', poll } = options;
  if (poll !== undefined) {
    const { intervalMs = 1, asymThreshold = 48, symThreshold = 24 } = poll;
    const failed = start(poll.command ?? command, intervalMs, asymThreshold, symThreshold);
    if (failed !== undefined) throw fromNative(failed);
  }
  environment().addon.devices.setWaitMode(backend, WaitMode[wait]);
}

/**
 * The message of the channel `openssl-async:hardware:heartbeat`, published when a device stops working, and works
 * again.
 */
export interface HeartbeatMessage {
  /** `'engine:ID'` or `'provider:NAME'`. */
  holder: string;
  /** Whether it works. */
  alive: boolean;
}

const heartbeats = channel('openssl-async:hardware:heartbeat');

/** Asks a device whether it works. */
export class Heartbeat {
  alive = true;
  #isAsking = false;
  readonly #timer: NodeJS.Timeout | undefined;

  /** @param ask - resolves to whether the device works, given the command */
  constructor(backend: string, options: HeartbeatOptions | undefined, command: string, ask: Ask) {
    if (options === undefined) return;
    const name = options.command ?? command;
    const beat = async (): Promise<void> => {
      // The loop may have been held for so long that the answer comes in this turn only.
      if (this.#isAsking) await new Promise((resolve) => void setImmediate(resolve).unref());
      // A device that does not answer in time does not work.
      const alive = !this.#isAsking && (await this.#ask(ask, name));
      if (alive === this.alive) return;
      this.alive = alive;
      if (heartbeats.hasSubscribers) heartbeats.publish({ holder: backend, alive } satisfies HeartbeatMessage);
    };
    this.#timer = setInterval(() => void beat(), options.intervalMs ?? 1000).unref();
  }

  stop(): void {
    clearInterval(this.#timer);
  }

  async #ask(ask: Ask, command: string): Promise<boolean> {
    this.#isAsking = true;
    try {
      return await ask(command);
    } finally {
      this.#isAsking = false;
    }
  }
}

type Ask = (command: string) => boolean | Promise<boolean>;
