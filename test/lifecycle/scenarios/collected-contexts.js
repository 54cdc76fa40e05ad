'use strict';

// Wait contexts that are forgotten without being closed are closed when they are collected: the device keeps one fd in
// each of them.

const {
  WaitContext,
  device,
  deviceRequest,
  garbageCollector,
  native,
  openFds,
  report,
  runJob,
  until,
} = require('../../support/scenario/library');

const CONTEXTS = 300;

async function use() {
  const func = native('device');
  const args = deviceRequest({ mode: 'fd-cached' });
  await Promise.all(Array.from({ length: CONTEXTS }, () => runJob(func, { args, waitContext: new WaitContext() })));
}

async function main() {
  const gc = garbageCollector();
  await runJob(native('device'), { args: deviceRequest({ mode: 'none' }) });
  const before = openFds();
  await use();
  const { fdsOpened, fdsClosed } = device.stats();
  report({ fdsOpened, fdsClosed, open: openFds() - before });
  await until(() => {
    gc();
    return device.stats().fdsClosed === CONTEXTS;
  });
  // Their watches close a little later than the fds.
  await until(() => openFds() <= before);
  report({ fdsClosed: device.stats().fdsClosed, left: Math.max(0, openFds() - before) });
}

void main();
