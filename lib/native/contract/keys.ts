import type { NativeError } from './error';
import type { NativeKey } from './handles';
import type { NativeScope } from './scope';

/** Keys of callers. */
export interface NativeKeys {
  /** SubjectPublicKeyInfo, or unencrypted PKCS#8; `type` as OpenSSL calls it. */
  create(
    der: Uint8Array,
    isPrivate: boolean,
    type: string | undefined,
    scope: NativeScope | undefined,
  ): NativeKey | NativeError;
  /** `group` is a curve or another group, empty for types without one. Undefined for a key that was released. */
  describe(key: NativeKey): [bits: number, group: string] | undefined;
  /** Lets go of the native key. The handle may not be used afterwards. */
  release(key: NativeKey): void;
}
