// A provider that pauses as hardware does, in each of the ways that it may have for its jobs to wait.
import { spawnSync } from 'node:child_process';
import * as crypto from 'node:crypto';
import * as fs from 'node:fs';
import * as path from 'node:path';
import { setImmediate } from 'node:timers/promises';
import * as async from '../../lib';
import { foreignEnvironment } from '../support/foreign';
import { HAS_JOBS, testWithJobs } from '../support/jobs';
import { rejection, rejectionCode } from '../support/library';
import { describeReference, PROVIDER } from '../support/reference';

const OURS = { provider: 'reference' } as const;
const DATA = Buffer.from('data');

const keys = {
  rsa: crypto.generateKeyPairSync('rsa', { modulusLength: 2048 }),
  ec: crypto.generateKeyPairSync('ec', { namedCurve: 'P-256' }),
};

let provider: async.Provider | undefined;
const load = async (
  parameters: Record<string, string | number> = {},
  hardware: async.ProviderOptions = {},
): Promise<async.Provider> =>
  (provider = await async.loadProvider('reference', { path: PROVIDER, parameters, ...hardware }));
const counter = (name: string): number => Number(provider?.parameter(name));

const sign = (kind: keyof typeof keys, options = {}): Promise<Buffer> =>
  async.sign('sha256', DATA, keys[kind].privateKey, { ...OURS, ...options });
const isValid = (kind: keyof typeof keys, signature: Buffer): boolean =>
  crypto.verify('sha256', DATA, keys[kind].publicKey, signature);

type Wakeup = 'callbacks' | 'fdWakeups' | 'retries';
/** How often jobs of the provider's were woken, and by what. */
const wakeups = (): Record<Wakeup, number> => {
  const { callbacks = 0, fdWakeups = 0, retries = 0 } = async.stats().providers.reference ?? {};
  return { callbacks, fdWakeups, retries };
};

afterEach(async () => {
  await provider?.unload();
  provider = undefined;
});

describeReference('the reference provider', () => {
  test('tells what it is, and how it was set', async () => {
    const loaded = await load({ mode: 'event-fd' });
    expect(loaded.info()).toMatchObject({ name: 'reference', version: '1.0', active: true });
    const names = (algorithms: readonly string[] = []): string[] => algorithms.map((each) => each.split(':')[0] ?? '');
    expect(names(loaded.info().algorithms.signatures)).toEqual(['RSA', 'ECDSA']);
    expect(names(loaded.info().algorithms.keyManagers)).toEqual(['RSA', 'EC']);
    expect(names(loaded.info().algorithms.asymCiphers)).toEqual(['RSA']);
    expect(loaded.parameter('mode')).toBe('event-fd');
    expect(counter('alive')).toBe(1);
  });

  testWithJobs.each<[mode: string, by: Wakeup]>([
    ['auto', 'callbacks'],
    ['callback', 'callbacks'],
    ['event-fd', 'fdWakeups'],
    ['fd', 'fdWakeups'],
    ['none', 'retries'],
  ])('signs in many jobs in the mode %s, which %s wake', async (mode, by) => {
    await load({ mode, 'latency-micros': 2000 });
    const before = wakeups();
    const kinds = Array.from({ length: 32 }, (_, i) => (i % 2 === 0 ? 'rsa' : 'ec'));
    const signatures = await Promise.all(kinds.map((kind) => sign(kind, { requireOffload: true })));
    expect(kinds.map((kind, i) => isValid(kind, signatures[i] as Buffer))).not.toContain(false);
    const after = wakeups();
    for (const name of ['callbacks', 'fdWakeups', 'retries'] as const) {
      if (name === by) expect(after[name] - before[name]).toBeGreaterThanOrEqual(32);
      else expect(after[name]).toBe(before[name]);
    }
    expect(counter('operations')).toBe(32);
    expect(counter('pauses')).toBe(32 + counter('spurious-resumes'));
    expect(counter('synchronous') + counter('errors') + counter('in-flight')).toBe(0);
  });

  testWithJobs('in the mode poll, wakes nobody until it is polled', async () => {
    await load({ mode: 'poll' });
    const before = wakeups().callbacks;
    const signatures = Promise.all(Array.from({ length: 8 }, () => sign('ec')));
    let collected = 0;
    while (collected < 8) {
      await setImmediate();
      collected += counter('poll');
    }
    expect((await signatures).map((signature) => isValid('ec', signature))).not.toContain(false);
    expect(collected).toBe(8);
    expect(wakeups().callbacks - before).toBe(8);
    expect(counter('pauses')).toBe(8);
    expect(counter('spurious-resumes')).toBe(0);
    expect(counter('poll')).toBe(0);
    expect(counter('empty-polls')).toBeGreaterThanOrEqual(1);
  });

  testWithJobs('in the mode poll, is polled by the library, and asked whether it works', async () => {
    const loaded = await load({ mode: 'poll', 'latency-micros': 500 }, { poll: {}, heartbeat: { intervalMs: 5 } });
    const signatures = await Promise.all(Array.from({ length: 64 }, () => sign('ec', { requireOffload: true })));
    expect(signatures.map((signature) => isValid('ec', signature))).not.toContain(false);
    expect(counter('polls') - counter('empty-polls')).toBeGreaterThanOrEqual(1);
    expect(counter('spurious-resumes') + counter('in-flight')).toBe(0);
    expect(loaded.alive).toBe(true);
  });

  testWithJobs('in the mode sync, does not pause, and that shows', async () => {
    await load({ mode: 'sync' });
    expect(isValid('ec', await sign('ec'))).toBe(true);
    expect(await rejectionCode(sign('ec', { requireOffload: true }))).toBe('ERR_ASYNC_NOT_OFFLOADED');
    expect(counter('pauses')).toBe(0);
    expect(counter('synchronous')).toBe(2);
  });

  testWithJobs.each(['callback', 'fd', 'none'])(
    'has jobs try again while its ring is full, in the mode %s',
    async (mode) => {
      await load({ mode, capacity: 2, 'latency-micros': 1000 });
      const signatures = await Promise.all(Array.from({ length: 24 }, () => sign('ec')));
      expect(signatures.map((signature) => isValid('ec', signature))).not.toContain(false);
      expect(counter('retries')).toBeGreaterThanOrEqual(1);
      expect(counter('operations')).toBe(24);
    },
  );

  test('fails as often as it is told to, with errors of the thread that it failed on', async () => {
    await load({ 'fail-every': 3 });
    const outcomes = await Promise.allSettled(Array.from({ length: 9 }, () => sign('ec')));
    const failed = outcomes.filter((outcome) => outcome.status === 'rejected');
    expect(failed).toHaveLength(3);
    expect(counter('errors')).toBe(3);
    for (const { reason } of failed) {
      const { opensslErrorStack = [], message } = reason as Error & { opensslErrorStack?: string[] };
      expect([message, ...opensslErrorStack].join('\n')).toMatch(
        /the reference hardware was told to fail|operation fail/,
      );
    }
  });

  test.each(['callback', 'poll'])('tests itself with an operation, in the mode %s', async (mode) => {
    const loaded = await load({ mode, 'fail-every': 2 });
    const info = (): async.ProviderInfo | undefined =>
      async.listProviders({ selfTest: true }).find(({ name }) => name === 'reference');
    expect(loaded.selfTest()).toBe(true);
    expect(info()).toMatchObject({ active: true, selfTest: false });
    expect(info()).toMatchObject({ active: true, selfTest: true });
    expect(counter('synchronous')).toBe(3);
  });

  test('decrypts, and its errors are those of OpenSSL', async () => {
    await load({ mode: 'fd' });
    const options = { key: keys.rsa.privateKey, padding: crypto.constants.RSA_PKCS1_OAEP_PADDING };
    const encrypted = crypto.publicEncrypt({ ...options, key: keys.rsa.publicKey }, DATA);
    expect(await async.privateDecrypt(options, encrypted, { ...OURS, requireOffload: HAS_JOBS })).toEqual(DATA);
    expect(await rejectionCode(async.privateDecrypt(options, Buffer.alloc(256), OURS))).toBe(
      'ERR_OSSL_RSA_OAEP_DECODING_ERROR',
    );
    expect(counter('errors')).toBe(1);
  });

  test('verifies where it is called', async () => {
    await load();
    const signature = crypto.sign('sha256', DATA, keys.ec.privateKey);
    expect(await async.verify('sha256', DATA, keys.ec.publicKey, signature, OURS)).toBe(true);
    expect(await async.verify('sha256', Buffer.from('other'), keys.ec.publicKey, signature, OURS)).toBe(false);
    expect(counter('operations')).toBe(0);
  });

  test.each([
    [{ mode: 'nonsense' }, /has no mode 'nonsense'/],
    [{ capacity: 0 }, /capacity of the reference hardware must be 1 to 1000000/],
    [{ 'latency-micros': 'soon' }, /latency-micros of the reference hardware must be a number/],
  ])('does not load with %j', async (parameters, message) => {
    const error = await rejection(load(parameters));
    expect(error).toMatchObject({ code: 'ERR_ASYNC_PROVIDER_NOT_LOADED' });
    const { message: text, opensslErrorStack = [] } = error as Error & { opensslErrorStack?: string[] };
    expect([text, ...opensslErrorStack].join('\n')).toMatch(message);
  });

  const OPENSSL = '/usr/bin/openssl';
  (fs.existsSync(OPENSSL) ? test : test.skip)('does not let a private key leave, in openssl(1) either', () => {
    const { status, stderr } = spawnSync(
      OPENSSL,
      [
        ...['genpkey', '-algorithm', 'EC', '-pkeyopt', 'ec_paramgen_curve:P-256', '-propquery', '?provider=reference'],
        ...['-provider-path', path.dirname(PROVIDER), '-provider', 'reference_provider', '-provider', 'default'],
      ],
      { encoding: 'utf8', env: foreignEnvironment() },
    );
    expect(status).toBe(1);
    expect(stderr).toContain('private keys do not leave the reference hardware');
  });

  test('may be unloaded while jobs wait for it', async () => {
    const loaded = await load({ 'latency-micros': 5000 });
    const signatures = Promise.all(Array.from({ length: 16 }, () => sign('rsa')));
    void loaded.unload();
    expect((await signatures).map((signature) => isValid('rsa', signature))).not.toContain(false);
  });

  (process.platform === 'linux' ? test : test.skip)(
    'has no thread and no fd left, however often it comes',
    async () => {
      const count = (folder: string): number => fs.readdirSync(`/proc/self/${folder}`).length;
      const once = async (): Promise<void> => {
        const loaded = await load({ mode: 'fd' });
        await sign('ec');
        await loaded.unload();
      };
      await once();
      await once();
      const threads = count('task');
      const fds = count('fd');
      for (let i = 0; i < 50; ++i) await once();
      expect(count('task')).toBeLessThanOrEqual(threads);
      expect(count('fd')).toBeLessThanOrEqual(fds);
    },
  );
});
