import type { NativeError } from './error';
import type { NativeKey } from './handles';
import type { RemoteRefusal } from './tables';

/** Keys whose operations JavaScript functions carry out. */
export interface NativeRemote {
  /** Requests name the key by `number`; `operations` has a bit for each operation that it can be asked for. */
  createKey(der: Uint8Array, type: string, number: number, operations: number, flags: number): NativeKey | NativeError;
  /**
   * A key that signs with a provider's; all of OpenSSL can use it. Undefined for a key that all of OpenSSL can use.
   */
  delegateKey(key: NativeKey, spki: Uint8Array): NativeKey | NativeError | undefined;
  /** `onRequests` is called with the number of requests that have been written to `words` and `bytes`. */
  setSink(onRequests: (count: number) => void, words: Float64Array, bytes: Uint8Array): void;
  /** The bytes and the label of a request that are too long for a batch; undefined when it has ended. */
  bytes(id: number): readonly [bytes: Buffer, label: Buffer | undefined] | undefined;
  /** The name of a digest, as OpenSSL has it. */
  name(number: number): string;
  answer(id: number, bytes: Uint8Array): void;
  refuse(id: number, why: RemoteRefusal, message: string): void;
}
