'use strict';

// One measurement of the C++ classes, in a process of its own:
//
//   node child-native.js scheduler|job TRIAL IN_FLIGHT SECONDS OPS_PER_JOB
//
// prints one line of JSON, as baseline.c does.

const path = require('node:path');

const driver = require(path.join(__dirname, '..', '..', 'build', 'Release', 'bench_driver.node'));

async function main([kind, trial, inFlight, seconds, opsPerJob]) {
  const result = await driver.run(kind, trial, Number(inFlight), Number(seconds), Number(opsPerJob));
  console.log(JSON.stringify({ trial, inFlight: Number(inFlight), ...result }));
}

main(process.argv.slice(2)).catch((error) => {
  console.error(error);
  process.exitCode = 1;
});
