// `openssl-async build`: compiles the addon where the package holds no binary for the platform.
import { spawnSync } from 'node:child_process';
import * as path from 'node:path';
import { PACKAGE_ROOT } from '../base/package';

export interface BuildOptions {
  openssl: string;
}

/** The exit status. */
export function build({ openssl }: BuildOptions): number {
  const script = path.join(PACKAGE_ROOT, 'scripts', 'install.js');
  const { error, status } = spawnSync(process.execPath, [script], {
    env: { ...process.env, npm_config_build_from_source: 'true', npm_config_openssl: openssl },
    stdio: 'inherit',
  });
  if (error !== undefined) console.error(error.message);
  return status ?? 1;
}
