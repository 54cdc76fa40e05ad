// Two installations of the package in one process: each has an addon with state of its own, over the one OpenSSL.
import { execFileSync } from 'node:child_process';
import { runAndCheck } from './support/expectations';

interface Refusal {
  code: string;
  message: string;
}

const node = process.env.OPENSSL_ASYNC_NODE ?? process.execPath;
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

test("the pool that one installation makes, and its limit, are the other's", async () => {
  const [seen] = await runAndCheck('two-installations', {}, { args: ['pool'] });
  const exists = { code: 'ERR_ASYNC_THREAD_INITIALIZED' };
  expect(seen).toMatchObject({ again: exists, full: 'no-jobs', ran: 3, back: exists });
});

test("a job that leaves pausing blocked does not make the other installation's jobs synchronous", async () => {
  expect(await runAndCheck('two-installations', {}, { args: ['blocked'] })).toEqual([{ blocked: 0 }]);
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
    const [seen] = await runAndCheck('two-installations', {}, { args: ['stacks'] });
    const stacks = { mode: 'guarded', sizeBytes: 128 * 1024, guarded: 2 };
    expect(seen).toMatchObject({ seen: [stacks, stacks], late: { code: 'ERR_ASYNC_ALREADY_STARTED' }, left: [0, 0] });
  });
} else {
  console.log('Not run: the OpenSSL of this Node has no stack functions (3.2 and later)');
  test.skip('the stacks of one installation serve both', () => undefined);
}
