// A token of SoftHSM's with an RSA and a P-256 key, and the engine of Debian's that reaches it.
import { spawnSync, execFileSync } from 'node:child_process';
import * as crypto from 'node:crypto';
import * as fs from 'node:fs';
import * as os from 'node:os';
import * as path from 'node:path';
import { foreignEnvironment } from './foreign';

const PIN = '2468';

function firstOf(files: string[]): string | undefined {
  return files.find((file) => fs.existsSync(file));
}

const MACHINES = ['x86_64', 'aarch64'];

/** The PKCS#11 module of SoftHSM. */
export const SOFTHSM = firstOf([
  '/usr/lib/softhsm/libsofthsm2.so',
  ...MACHINES.map((machine) => `/usr/lib/${machine}-linux-gnu/softhsm/libsofthsm2.so`),
]);
/** OpenSSL's engine for PKCS#11. */
const PKCS11 = firstOf(MACHINES.map((machine) => `/usr/lib/${machine}-linux-gnu/engines-3/pkcs11.so`));
const hasTools = spawnSync('softhsm2-util', ['--version'], { env: foreignEnvironment() }).status === 0;

/** Why there can be no token here; undefined when there can. */
export const missing =
  SOFTHSM === undefined || PKCS11 === undefined || !hasTools
    ? 'softhsm2 and libengine-pkcs11-openssl are not installed'
    : undefined;

export interface Token {
  pin: string;
  /** Its folder. */
  folder: string;
  /** For processes that use it. */
  env: NodeJS.ProcessEnv;
  publicKeys: { rsa: crypto.KeyObject; ec: crypto.KeyObject };
}

/** A new one, of this process's own. */
export function createToken(): Token {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'token-'));
  const tokens = path.join(folder, 'tokens');
  const config = path.join(folder, 'softhsm2.conf');
  fs.mkdirSync(tokens);
  fs.writeFileSync(config, `directories.tokendir = ${tokens}\nobjectstore.backend = file\nlog.level = ERROR\n`);
  const env = { SOFTHSM2_CONF: config, TOKEN_PIN: PIN, TOKEN_MODULE: SOFTHSM, TOKEN_FOLDER: tokens };
  const softhsm = (...args: string[]): void => {
    execFileSync('softhsm2-util', args, { env: foreignEnvironment(env), stdio: 'pipe' });
  };
  softhsm('--init-token', '--free', '--label', 'keys', '--pin', PIN, '--so-pin', '1357');
  const pairs = {
    rsa: crypto.generateKeyPairSync('rsa', { modulusLength: 2048 }),
    ec: crypto.generateKeyPairSync('ec', { namedCurve: 'P-256' }),
  };
  for (const [index, [label, { privateKey }]] of Object.entries(pairs).entries()) {
    const file = path.join(folder, `${label}.pem`);
    fs.writeFileSync(file, privateKey.export({ format: 'pem', type: 'pkcs8' }));
    softhsm('--import', file, '--token', 'keys', '--label', label, '--id', `0${String(index + 1)}`, '--pin', PIN);
  }
  return { pin: PIN, folder, env, publicKeys: { rsa: pairs.rsa.publicKey, ec: pairs.ec.publicKey } };
}
