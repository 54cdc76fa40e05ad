import type { NativeError } from './error';
import type { NativeEngine, NativeKey, NativeOutcome, NativeSpec } from './handles';

export interface NativeEngineInfo {
  id: string;
  name: string;
  algorithms: string[];
  commands: {
    name: string;
    description: string;
    takesNumber: boolean;
    takesText: boolean;
    takesNothing: boolean;
  }[];
}

/** An operation that asks an engine for something, and its outcome. */
export type NativeEngineTask = readonly [spec: NativeSpec, outcome: NativeOutcome];

/** Names and values of commands, by turns; a value is a number, the bytes of a text, or none. */
export type NativeCommands = readonly (string | number | Uint8Array | undefined)[];

/** Engines: the operations that ask for something, and their outcomes. */
export interface NativeEngines {
  load(
    name: string,
    isPath: boolean,
    id: string,
    beforeInit: NativeCommands,
    afterInit: NativeCommands,
  ): NativeEngineTask;
  control(engine: NativeEngine, command: string, value: number | Uint8Array | undefined): NativeEngineTask;
  /** The call's input is the PIN, if there is one. */
  loadKey(engine: NativeEngine, id: string, isPrivate: boolean): NativeEngineTask;
  /** The error of the operation, if it failed. */
  takeError(outcome: NativeOutcome): NativeError | undefined;
  takeEngine(outcome: NativeOutcome): NativeEngine;
  takeKey(outcome: NativeOutcome, pauses: boolean): [key: NativeKey, spki: Buffer];
  describe(engine: NativeEngine): NativeEngineInfo;
  /** As `NativeProviders.poll`, with a command. */
  poll(
    backend: string,
    engine: NativeEngine,
    command: string,
    intervalMs: number,
    asymThreshold: number,
    symThreshold: number,
  ): NativeError | undefined;
  /** `methods`: the bits of `EngineMethod` that the key may use. */
  bindKey(engine: NativeEngine, pkcs8: Uint8Array, methods: number, pauses: boolean): NativeKey | NativeError;
  setDefault(engine: NativeEngine, algorithms: string): NativeError | undefined;
  /** The engine may not be asked for anything afterwards. */
  unload(engine: NativeEngine): void;
  /** Nothing may be taken from the outcome afterwards. */
  releaseOutcome(outcome: NativeOutcome): void;
  list(): { id: string; name: string; loaded: boolean }[];
}
