import type { NativeError } from './error';
import type { Isolation } from './tables';

/** Modules that bring a libcrypto of their own. */
export interface NativeModules {
  /** Opens a module so that it keeps the libcrypto that it brings; see {@link Isolation}. */
  isolate(path: string, isolation: Isolation): NativeError | undefined;
  /** The libcrypto that a module would bring besides the process's, or an empty name. */
  secondLibcrypto(path: string): [name: string, canIsolate: boolean];
  /** Modules of PKCS#11 that a configuration file names. */
  ofConfiguration(path: string): string[];
}
