// The folder of this package: two folders up from this file, in lib/base (tests), dist/library and dist/cli (see
// scripts/bundle.js).
import { dirname, isAbsolute, join } from 'node:path';

// Another bundler's file has another name, or none.
const OWN_FILE = typeof __filename === 'string' && isAbsolute(__filename) ? __filename : '';

/** Whether somebody else has put the library into a bundle. Nothing of the package is beside it then. */
export const IS_BUNDLED = !/[\\/](base[\\/]package|library[\\/]core|cli[\\/][a-z-]+)\.[jt]s$/.test(OWN_FILE);

/** False in a bundle that does not know its file: looking beside that would mean the working directory. */
export const KNOWS_ITS_PLACE = OWN_FILE !== '';

/** Folder of the package; of the file, in another's bundle. */
export const PACKAGE_ROOT = join(dirname(OWN_FILE), IS_BUNDLED ? '.' : '../..');
