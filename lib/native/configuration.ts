// OpenSSL's configuration of this package's own library context.
import { fromNative } from '../base/errors';
import { environment } from './environment';
import { isolateModules } from './isolation';

/**
 * Reads a configuration file into this package's own library context.
 *
 * @throws `ERR_ASYNC_CONFIGURATION`
 */
export function loadConfiguration(path: string): void {
  isolateModules([], environment().addon.modules.ofConfiguration(path), 'provider');
  const failed = environment().addon.libraries.loadConfiguration(path);
  if (failed !== undefined) throw fromNative(failed);
}
