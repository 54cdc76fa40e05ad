// Two installations of the package in one process: each has an addon with state of its own, over the one OpenSSL.
import { execFileSync } from 'node:child_process';
import { verify } from 'node:crypto';
import { rmSync } from 'node:fs';
import { describeReference } from '../support/reference';
import { createToken, missing } from '../support/token';
import { runAndCheck } from '../support/scenario/expectations';

interface Refusal {
  code: string;
  message: string;
}

// With stack functions, where there is such a Node.
const node = process.env.OPENSSL_ASYNC_NODE ?? process.env.OPENSSL_ASYNC_NODE_24 ?? process.execPath;
const hasStackFunctions = /^3\.[2-9]|^[4-9]/.test(
  execFileSync(node, ['-p', 'process.versions.openssl'], { encoding: 'utf8' }),
);

test("a thread's pool is kept while the other installation has a paused job in it", async () => {
  const [seen, { paths }] = (await runAndCheck('two-installations', {}, { args: ['cleanup'] })) as [
    { refused: Refusal; refusedToFirst: Refusal; liveInThread: number; returnValue: number; ran: number[] },
    { paths: [string, string] },
  ];
  const outstanding = { code: 'ERR_ASYNC_JOBS_OUTSTANDING' };
  expect(seen).toMatchObject({ refused: outstanding, refusedToFirst: outstanding });
  expect(seen).toMatchObject({ liveInThread: 1, returnValue: 7, ran: [3, 3] });
  expect(seen.refused.message).toContain(`another copy of openssl-async (${paths[0]})`);
  expect(seen.refusedToFirst.message).toContain(`another copy of openssl-async (${paths[1]})`);
});

const tellsModules = process.platform === 'win32' ? test.skip : test;
tellsModules('nothing is done to the pool while a version is loaded that cannot be asked', async () => {
  const [seen] = (await runAndCheck('two-installations', {}, { args: ['stranger'] })) as [
    { refused: Refusal; init: Refusal; path: string },
  ];
  expect(seen).toMatchObject({
    refused: { code: 'ERR_ASYNC_JOBS_OUTSTANDING' },
    init: { code: 'ERR_ASYNC_THREAD_INITIALIZED' },
    returnValue: 7,
    ran: 3,
  });
  expect([seen.refused.message, seen.init.message].every((message) => message.includes(seen.path))).toBe(true);
});

test("the pool that one installation makes, and its limit, are the other's", async () => {
  const [seen] = await runAndCheck('two-installations', {}, { args: ['pool'] });
  const exists = { code: 'ERR_ASYNC_THREAD_INITIALIZED' };
  expect(seen).toMatchObject({ again: exists, full: 'no-jobs', ran: 3, back: exists });
});

test("a job that leaves pausing blocked does not make the other installation's jobs synchronous", async () => {
  expect(await runAndCheck('two-installations', {}, { args: ['blocked'] })).toEqual([{ blocked: 0 }]);
});

test("what belongs to the other installation is refused with that reason, and a key's KeyObject is not", async () => {
  const [{ folder, failures, valid }] = (await runAndCheck('two-installations', {}, { args: ['objects'] })) as [
    { folder: string; failures: Record<string, Refusal>; valid: boolean },
  ];
  const reasons = Object.entries(failures).filter(
    ([, { message }]) => !message.includes(`belongs to another copy of openssl-async, that of ${folder}.`),
  );
  expect(reasons).toEqual([]);
  const codes = new Set(Object.values(failures).map(({ code }) => code));
  expect([...codes].sort()).toEqual(['ERR_ASYNC_INVALID_COMMAND', 'ERR_INVALID_ARG_TYPE']);
  expect(valid).toBe(true);
});

describeReference('an engine that both installations load', () => {
  const isSupported = /^[0-3]\./.test(process.versions.openssl);
  (isSupported ? test : test.skip)('works until both have unloaded it, in whichever order', async () => {
    const reports = await runAndCheck('two-installations', {}, { args: ['engine'] });
    const shared = { one: true, other: true, afterUnload: true, joined: true };
    const order = { ...shared, otherCommands: { code: 'ERR_ASYNC_ENGINE' } };
    expect(reports).toMatchObject([order, order, { anew: true }]);
  });
});

if (missing !== undefined) console.log(`Skipped: ${missing}.`);
(missing === undefined ? test : test.skip)("a token's key stays usable to the one that has it", async () => {
  const token = createToken();
  const [signatures] = await runAndCheck('two-installations', {}, { args: ['token'], env: token.env });
  rmSync(token.folder, { recursive: true });
  const isValid = (signature: string): boolean =>
    verify('sha256', Buffer.from('data'), token.publicKeys.ec, Buffer.from(signature, 'hex'));
  expect((signatures as string[]).map(isValid)).toEqual([true, true, true, true, true]);
});

test('all copies that threads load at the same time know each other', async () => {
  expect(await runAndCheck('two-installations', {}, { args: ['threads'] })).toEqual([{ missing: [] }]);
});

test('both end their jobs, or say which they abandon, when the process ends', async () => {
  const [seen] = await runAndCheck('two-installations', { abandoned: [2, 1] }, { args: ['exit'] });
  expect(seen).toEqual({ live: 3 });
});

if (hasStackFunctions) {
  test('the stacks of one installation serve both', async () => {
    const [seen] = await runAndCheck('two-installations', {}, { node, args: ['stacks'] });
    const stacks = { mode: 'guarded', sizeBytes: 128 * 1024, guarded: 2 };
    expect(seen).toMatchObject({ seen: [stacks, stacks], late: { code: 'ERR_ASYNC_ALREADY_STARTED' }, left: [0, 0] });
  });
} else {
  console.log('Skipped: stack functions need OpenSSL 3.2; OPENSSL_ASYNC_NODE_24 may name a node that has it.');
  test.skip('the stacks of one installation serve both', () => undefined);
}
