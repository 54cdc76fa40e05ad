'use strict';

// Signatures by the reference engine, told of in each way, and by the reference provider. Prints one line of JSON at its
// end.
//
//   node reference.js FOLDER     the folder of the modules, which may have any name

const assert = require('node:assert');
const crypto = require('node:crypto');
const fs = require('node:fs');
const path = require('node:path');
const { loadEngine, loadProvider, sign, stats } = require('../../..');

const folder = path.resolve(process.argv[2]);
const MESSAGE = Buffer.from('the message');
const SIGNATURES = 20;

async function signAll(key, publicKey, options) {
  const made = await Promise.all(Array.from({ length: SIGNATURES }, () => sign('sha256', MESSAGE, key, options)));
  for (const each of made) assert.ok(crypto.verify('sha256', MESSAGE, publicKey, each));
}

async function main() {
  const { privateKey, publicKey } = crypto.generateKeyPairSync('rsa', { modulusLength: 2048 });
  const keyFile = path.join(folder, 'key.pem');
  fs.writeFileSync(keyFile, privateKey.export({ type: 'pkcs8', format: 'pem' }));
  const file = (name) => path.join(folder, name);
  for (const mode of ['fd', 'event-fd', 'callback']) {
    const engine = await loadEngine(file('reference_engine.dll'), { preInit: [['MODE', mode]], pauses: true });
    await signAll(await engine.loadPrivateKey(keyFile), publicKey);
    await engine.unload();
  }
  const settings = { path: file('reference_provider.dll'), parameters: { mode: 'fd' } };
  const provider = await loadProvider('reference', settings);
  await signAll(privateKey, publicKey, { provider: 'reference', requireOffload: true });
  assert.ok(Number(provider.parameter('pauses')) >= SIGNATURES);
  const { operations, wakeups } = stats();
  console.log(JSON.stringify({ paused: operations.paused, wakeups }));
}

main().catch((error) => {
  console.error(error);
  process.exitCode = 1;
});
