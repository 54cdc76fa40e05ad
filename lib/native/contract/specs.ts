import type { NativeError } from './error';
import type { NativeKey, NativeSpec } from './handles';
import type { NativeScope } from './scope';
import type { Family } from './tables';

/** Specs, which calls of one kind share. */
export interface NativeSpecs {
  create(
    family: Family,
    algorithm: string,
    names: readonly string[],
    numbers: readonly number[],
    keys: readonly NativeKey[],
    bytes: readonly Uint8Array[],
    scope: NativeScope | undefined,
    fallback: NativeSpec | undefined,
    /** The spec whose state the new one starts with. No call of it may be under way. */
    source: NativeSpec | undefined,
  ): NativeSpec | NativeError;
  /** The name of the provider whose implementation the spec has; undefined where that is not known before a call. */
  provider(spec: NativeSpec): string | undefined;
  /** The backend of the spec's scope lacks the operation: its figures count that others do the work. */
  passOver(spec: NativeSpec): void;
  /** The key that the last call of a spec of {@link Family} `store` found; once. */
  takeKey(spec: NativeSpec): NativeKey;
  /** Lets go of the native spec. The handle may not be used afterwards. */
  release(spec: NativeSpec): void;
}
