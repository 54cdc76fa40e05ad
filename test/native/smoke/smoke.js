'use strict';

// A short run of everything that crosses between JavaScript, the addon and OpenSSL, without a test framework: for other
// versions of Node, for installed packages and for Valgrind. Prints one line of JSON at its end.
//
//   node smoke.js [PACKAGE] [--jobs=N]     PACKAGE: what to require, default this repository

const assert = require('node:assert');
const crypto = require('node:crypto');
const path = require('node:path');
const { isMainThread, parentPort, Worker, workerData } = require('node:worker_threads');

const options = isMainThread
  ? {
      package:
        process.argv.slice(2).find((argument) => !argument.startsWith('--')) ?? path.join(__dirname, '..', '..', '..'),
      jobs: Number(process.argv.find((argument) => argument.startsWith('--jobs='))?.slice('--jobs='.length) ?? 200),
    }
  : workerData;

const {
  jobFunction,
  isCapable,
  opensslVersion,
  runJob,
  startJob,
  stats,
  unsupportedReason,
  WaitContext,
  WaitSignal,
} = require(options.package);

function manualJob() {
  const signal = new WaitSignal();
  const key = Symbol('smoke');
  const waits = jobFunction(function* (job, increment) {
    yield job.setWaitFd(key, signal.fd);
    yield job.pause();
    yield job.blockPause();
    yield job.pause();
    yield job.unblockPause();
    yield job.clearFd(key);
    return 41 + increment;
  });
  const waitContext = new WaitContext();
  const paused = startJob(null, waitContext, waits, 1);
  assert.strictEqual(paused.status, 'pause');
  assert.deepStrictEqual(paused.waitFds, [signal.fd]);
  assert.throws(() => waitContext.close(), { code: 'ERR_ASYNC_WAIT_CONTEXT_BUSY' });
  assert.deepStrictEqual(startJob(paused.job, waitContext), { status: 'finish', returnValue: 42 });
  assert.throws(() => startJob(paused.job, waitContext), { code: 'ERR_ASYNC_JOB_FINISHED' });
  waitContext.close();
  signal.close();
}

async function scheduledJobs(count) {
  const signals = Array.from({ length: 8 }, () => new WaitSignal());
  const key = Symbol('smoke');
  const waits = jobFunction(function* (job, index) {
    const fd = index % 2 === 0 ? signals[index % signals.length].fd : undefined;
    if (fd !== undefined) yield job.setWaitFd(key, fd);
    yield job.pause();
    if (fd !== undefined) yield job.clearFd(key);
    return index;
  });
  const running = Array.from({ length: count }, (_, index) => runJob(waits, { args: index }));
  for (const signal of signals) signal.wake();
  const results = await Promise.all(running);
  assert.deepStrictEqual(
    results.map((result) => result.returnValue),
    results.map((_, index) => index),
  );
  for (const signal of signals) signal.close();
}

async function failingJobs() {
  const failure = new Error('thrown by a job function');
  const throws = jobFunction(function* (job) {
    yield job.pause();
    throw failure;
  });
  await assert.rejects(runJob(throws), failure);

  const signal = new WaitSignal();
  const waits = jobFunction(function* (job) {
    yield job.setWaitFd('signal', signal.fd);
    yield job.pause();
    yield job.clearFd('signal');
    return 1;
  });
  await assert.rejects(runJob(waits, { timeoutMs: 1 }), { code: 'ERR_ASYNC_TIMEOUT' });
  await assert.rejects(runJob(waits, { signal: AbortSignal.abort() }), { name: 'AbortError' });
  signal.wake();
  while (stats().jobs.live > 0) await new Promise((resolve) => setImmediate(resolve));
  signal.close();

  // OpenSSL's error queue is Node's own again.
  assert.throws(() => crypto.createPrivateKey('no key'));
}

async function main() {
  assert.strictEqual(isCapable(), true, unsupportedReason());
  manualJob();
  await scheduledJobs(options.jobs);
  await failingJobs();
  if (!isMainThread) {
    parentPort.postMessage('done');
    return;
  }
  const worker = new Worker(__filename, { workerData: options });
  const [message] = await new Promise((resolve, reject) => {
    const messages = [];
    worker.on('message', (value) => messages.push(value));
    worker.on('error', reject);
    worker.on('exit', () => resolve(messages));
  });
  assert.strictEqual(message, 'done');
  console.log(JSON.stringify({ node: process.version, openssl: opensslVersion(), jobs: options.jobs }));
}

main().catch((error) => {
  console.error(error);
  process.exitCode = 1;
});
