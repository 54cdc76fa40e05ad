'use strict';

// The simulated accelerator of test/native/device, as the benchmarks use it.

const path = require('node:path');

const device = require(path.join(__dirname, '..', '..', 'build', 'Release', 'test_device.node'));

/** A struct device_request: one pause, and a callback from the device's thread after `latencyMicros`. */
function deviceRequest(latencyMicros = 0) {
  const CALLBACK_THREAD = 4;
  const [pauses, latencySpreadMicros, fdCount, againCount, failEvery, returnValue, seed] = [1, 0, 0, 0, 0, 1, 1];
  return Buffer.from(
    Int32Array.of(
      CALLBACK_THREAD,
      pauses,
      latencyMicros,
      latencySpreadMicros,
      fdCount,
      againCount,
      failEvery,
      returnValue,
      seed,
    ).buffer,
  );
}

module.exports = { device, deviceRequest };
