// The reference modules of test/native/reference.
import { existsSync } from 'node:fs';
import * as path from 'node:path';
import { ROOT } from './programs';

const moduleFile = (name: string): string =>
  path.join(ROOT, 'build', 'Release', `${name}.${process.platform === 'darwin' ? 'dylib' : 'so'}`);

export const ENGINE = moduleFile('reference_engine');
export const PROVIDER = moduleFile('reference_provider');

const missing = [ENGINE, PROVIDER].filter((file) => !existsSync(file));
if (missing.length > 0) console.log(`Skipped: there is no ${missing.join(' and no ')}; npm run build:tests makes it.`);
/** Where the modules were built. */
export const describeReference = missing.length === 0 ? describe : describe.skip;
