// The control commands of an engine that pauses as hardware does, and its keys in openssl(1).
import { spawnSync } from 'node:child_process';
import * as crypto from 'node:crypto';
import * as fs from 'node:fs';
import * as os from 'node:os';
import * as path from 'node:path';
import { setImmediate } from 'node:timers/promises';
import * as async from '../../lib';
import { foreignEnvironment } from '../support/foreign';
import { rejectionCode } from '../support/library';
import { describeReference, ENGINE } from '../support/reference';

const OPENSSL = '/usr/bin/openssl';
const DATA = Buffer.from('data');
const PIN = '1234';

const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'reference-engine-'));
const file = (name: string): string => path.join(folder, name);
const keys = {
  rsa: crypto.generateKeyPairSync('rsa', { modulusLength: 2048 }),
  ec: crypto.generateKeyPairSync('ec', { namedCurve: 'P-256' }),
};
type Kind = keyof typeof keys;

for (const [kind, { privateKey }] of Object.entries(keys)) {
  fs.writeFileSync(file(`${kind}.pem`), privateKey.export({ type: 'pkcs8', format: 'pem' }));
}
const encrypted = { type: 'pkcs8', format: 'pem', cipher: 'aes-256-cbc', passphrase: PIN } as const;
fs.writeFileSync(file('pin.pem'), keys.ec.privateKey.export(encrypted));
fs.writeFileSync(file('data'), DATA);

afterAll(() => fs.rmSync(folder, { recursive: true }));

const isValid = (kind: Kind, signature: Buffer): boolean =>
  crypto.verify('sha256', DATA, keys[kind].publicKey, signature);

/** The counters that STATS wrote to a file. */
function countersIn(name: string): Record<string, number> {
  const words = fs.readFileSync(file(name), 'utf8').trim().split(' ');
  return Object.fromEntries(words.map((word) => word.split('=')).map(([key = '', value]) => [key, Number(value)]));
}

describeReference('the reference engine in openssl(1)', () => {
  const withOpenssl = fs.existsSync(OPENSSL) ? test : test.skip;

  const openssl = (...args: string[]): { status: number | null; stdout: string; stderr: string } =>
    spawnSync(OPENSSL, args, { encoding: 'utf8', env: foreignEnvironment() });
  const signWith = (key: string, pin = ''): ReturnType<typeof openssl> =>
    openssl(
      ...['dgst', '-sha256', '-engine', ENGINE, '-keyform', 'engine', '-sign', file(key)],
      ...['-passin', `pass:${pin}`, '-out', file('signature'), file('data')],
    );

  withOpenssl('takes control commands of each kind before it is initialised, and after', () => {
    const { status, stdout } = openssl(
      ...['engine', '-t', '-c', '-vvvv', '-pre', 'MODE:fd', '-pre', 'LATENCY_MICROS:500', '-pre', 'CAPACITY:7'],
      ...['-post', 'FAIL_EVERY:9', '-post', 'POLL', '-post', 'HEARTBEAT', '-post', `STATS:${file('stats')}`, ENGINE],
    );
    expect(status).toBe(0);
    expect(stdout.match(/^\[Success\]: .*/gm)).toHaveLength(7);
    expect(stdout).toMatch(/\(reference\) A simulated accelerator/);
    expect(stdout).toMatch(/\[RSA\]\s+\[ available \]/);
    expect(stdout).toMatch(/LATENCY_MICROS: Microseconds before .*\s+\(input flags\): NUMERIC/);
    expect(stdout).toMatch(/MODE: How a job .*\s+\(input flags\): STRING/);
    expect(stdout).toMatch(/POLL: Collects .*\s+\(input flags\): NO_INPUT/);
    expect(countersIn('stats')).toMatchObject({ polls: 1, 'empty-polls': 1, operations: 0, 'in-flight': 0 });
  });

  withOpenssl('refuses what its commands do not take', () => {
    const { stdout } = openssl('engine', '-pre', 'MODE:nonsense', '-pre', 'CAPACITY:0', '-pre', 'NOTHING:1', ENGINE);
    expect(stdout.match(/^\[Failure\]: .*/gm)).toEqual([
      '[Failure]: MODE:nonsense',
      '[Failure]: CAPACITY:0',
      '[Failure]: NOTHING:1',
    ]);
    expect(stdout).toContain("the reference hardware has no mode 'nonsense'");
  });

  withOpenssl.each<[Kind]>([['rsa'], ['ec']])('signs with a key of %s that it loaded', (kind) => {
    expect(signWith(`${kind}.pem`)).toMatchObject({ status: 0 });
    expect(isValid(kind, fs.readFileSync(file('signature')))).toBe(true);
  });

  withOpenssl('asks for the PIN of a key', () => {
    expect(signWith('pin.pem', PIN)).toMatchObject({ status: 0 });
    expect(isValid('ec', fs.readFileSync(file('signature')))).toBe(true);
    expect(signWith('pin.pem', '4321')).toMatchObject({ status: 1 });
  });
});

describeReference('the commands of the reference engine', () => {
  test('collect what the device has finished, and write down what it did', async () => {
    using engine = await async.loadEngine(ENGINE, { preInit: [['MODE', 'poll']], pauses: true });
    const key = await engine.loadPrivateKey(file('ec.pem'));
    let pending = 4;
    const signatures = Promise.all(
      Array.from({ length: 4 }, () => async.sign('sha256', DATA, key).finally(() => --pending)),
    );
    for (let i = 0; i < 10; ++i) await setImmediate();
    expect(pending).toBe(4);
    while (pending > 0) await engine.control('POLL');
    expect((await signatures).map((signature) => isValid('ec', signature))).not.toContain(false);
    await engine.control('STATS', file('stats'));
    expect(countersIn('stats')).toMatchObject({ operations: 4, pauses: 4, 'spurious-resumes': 0, synchronous: 0 });
    expect(await rejectionCode(engine.control('CAPACITY', 0))).toBe('ERR_ASYNC_ENGINE');
  });
});
