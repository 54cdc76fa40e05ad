// A job function written in C (examples/native), which lets a thread of its own sign and pauses until that is done.
//
//   npm run build:tests && npm run build:ts && npm run build:examples && node build-examples/native-function.js
import * as crypto from 'node:crypto';
import { createRequire } from 'node:module';
import * as path from 'node:path';
import { nativeJobFunction, runJob } from 'openssl-async';

/** The addon of examples/native. */
interface Signer {
  /** A job function that signs a prepared request. Its argument is the request's number, as a uint32. */
  readonly sign: unknown;
  /** Takes a private key (DER) and starts the threads that sign with it. */
  setUp(key: Buffer, threads: number, maxRequests: number): void;
  /** Ends the threads. */
  shutDown(): void;
  /** Makes room for a signature of `message`. */
  prepare(message: Buffer): number;
  /** The signature; undefined if there is none. Frees the room. */
  take(request: number): Buffer | undefined;
}

const SIGNATURES = 100;
const THREADS = 2;

async function main(): Promise<void> {
  const load = createRequire(__filename);
  const root = path.dirname(load.resolve('openssl-async/package.json'));
  const signer = load(path.join(root, 'build', 'Release', 'example_signer.node')) as Signer;
  const sign = nativeJobFunction(signer.sign);

  const { privateKey, publicKey } = crypto.generateKeyPairSync('rsa', { modulusLength: 2048 });
  const der = privateKey.export({ type: 'pkcs8', format: 'der' });
  signer.setUp(der, THREADS, SIGNATURES);
  der.fill(0);

  let pausesOfAll = 0;
  async function signOne(message: Buffer): Promise<Buffer> {
    const request = signer.prepare(message);
    const { returnValue, pauses, opensslErrorStack } = await runJob(sign, { args: new Uint32Array([request]) });
    const signature = signer.take(request);
    if (returnValue !== 1 || signature === undefined) throw new Error(opensslErrorStack?.join('\n'));
    pausesOfAll += pauses;
    return signature;
  }

  const messages = Array.from({ length: SIGNATURES }, (_, index) => Buffer.from(`message ${index}`));
  try {
    const signatures = await Promise.all(messages.map(signOne));
    const valid = messages.filter((message, index) => {
      const signature = signatures[index];
      return signature !== undefined && crypto.verify('sha256', message, publicKey, signature);
    });
    console.log(`${signatures.length} signatures, ${pausesOfAll} pauses, ${valid.length} valid`);
  } finally {
    signer.shutDown();
  }
}

main().catch((error: unknown) => {
  console.error(error);
  process.exitCode = 1;
});
