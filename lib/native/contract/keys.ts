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
  /** Lets go of the native key. The handle may not be used afterwards. */
  release(key: NativeKey): void;
}
