import type { NativeError } from './error';
import type { NativeKey, NativeSpec } from './handles';
import type { NativeScope } from './scope';
import type { Family } from './tables';

/** Specs: what calls of one kind share. */
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
    /** Whose state the new one starts with. No call of it may be under way. */
    source: NativeSpec | undefined,
  ): NativeSpec | NativeError;
  /** The name of the provider whose implementation it has; undefined where that is not known before a call. */
  provider(spec: NativeSpec): string | undefined;
  /** The backend of its scope does not have what it is for: that others do the work is counted there. */
  passOver(spec: NativeSpec): void;
  /** The key that the last call of a spec of {@link Family} `store` found; once. */
  takeKey(spec: NativeSpec): NativeKey;
  /** Lets go of what it holds. It may not be used afterwards. */
  release(spec: NativeSpec): void;
}
