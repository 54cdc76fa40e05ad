/** An error as data. `code` is one of lib/base/errors.ts, or empty when only `opensslErrors` counts. */
export interface NativeError {
  readonly code: string;
  readonly message: string;
  /** OpenSSL's lines, oldest first. */
  readonly opensslErrors: readonly string[];
}
