'use strict';

// The built package and the test device, as the scenarios use them. Each scenario is a program of its own: it can be
// started by hand, under a debugger or under Valgrind.

const fs = require('node:fs');
const path = require('node:path');

const root = path.join(__dirname, '..', '..', '..');
process.env.OPENSSL_ASYNC_ADDON ??= path.join(root, 'build', 'Release', 'openssl_async.node');

const devicePath = process.env.OPENSSL_ASYNC_TEST_DEVICE ?? path.join(root, 'build', 'Release', 'test_device.node');

// Environments end in the reverse order of what was loaded: by default the device outlives the library, and is there
// for its jobs until their end.
const device = require(devicePath);
const library = require(path.join(root, 'dist', 'index.js'));

// test/support/device.ts says what these are.
const MODES = {
  'fd-cached': 0,
  'fd-fresh': 1,
  'fds-many': 2,
  'callback-same-thread': 3,
  'callback-thread': 4,
  none: 5,
  again: 6,
  'status-error': 7,
  'callback-or-fd': 8,
};

function int32Args(...values) {
  const args = Buffer.alloc(values.length * 4);
  values.forEach((value, index) => args.writeInt32LE(value, index * 4));
  return args;
}

function deviceRequest({ mode, pauses = 1, latencyMicros = 0, latencySpreadMicros = 0, returnValue = 1 }) {
  return int32Args(MODES[mode], pauses, latencyMicros, latencySpreadMicros, 3, 1, 0, returnValue, 0);
}

/** The job function of the device with this name. */
const native = (name) => library.nativeJobFunction(device.functions[name]);

/** Resolves when `condition()` holds, which is looked at once per turn of the event loop. */
async function until(condition) {
  while (!condition()) await new Promise((resolve) => setImmediate(resolve));
}

/** Writes one line of JSON now, from whichever thread and however near its end. */
function report(value) {
  fs.writeSync(1, `${JSON.stringify(value)}\n`);
}

function openFds() {
  return fs.readdirSync('/proc/self/fd').length;
}

function check(condition, message) {
  if (!condition) throw new Error(`check failed: ${message}`);
}

/** A function that collects garbage now. */
function garbageCollector() {
  require('node:v8').setFlagsFromString('--expose-gc');
  return require('node:vm').runInNewContext('gc');
}

module.exports = {
  ...library,
  MODES,
  check,
  device,
  devicePath,
  deviceRequest,
  garbageCollector,
  int32Args,
  native,
  openFds,
  report,
  root,
  until,
};
