'use strict';

// Counts what the steps of .ci/run did.
//
//   node count.js step TOTALS KIND NAME STATUS SECONDS LOG JEST_COUNTS    adds a step to TOTALS
//   node count.js sum TOTALS                                              prints them; fails if anything failed

const fs = require('node:fs');

const readLines = (file) => (fs.existsSync(file) ? fs.readFileSync(file, 'utf8').split('\n') : []);

function add(total, { passed = 0, failed = 0, skipped = 0 }) {
  total.passed += passed;
  total.failed += failed;
  total.skipped += skipped;
}

// Summaries of doctest, and of Node's own test runner (TAP). What a filter leaves out of a doctest run is not skipped.
function countLog(lines, total) {
  for (const line of lines) {
    const doctest = /^\[doctest\] test cases:\s*\d+\s*\|\s*(\d+) passed\s*\|\s*(\d+) failed/.exec(line);
    if (doctest !== null) add(total, { passed: Number(doctest[1]), failed: Number(doctest[2]) });
    const tap = /^# (pass|fail|cancelled|skipped) (\d+)$/.exec(line);
    if (tap !== null) {
      const field = { pass: 'passed', fail: 'failed', cancelled: 'failed', skipped: 'skipped' }[tap[1]];
      add(total, { [field]: Number(tap[2]) });
    }
  }
}

function countStep([totals, kind, name, status, seconds, log, jestCounts]) {
  const total = { passed: 0, failed: 0, skipped: 0 };
  if (kind === 'tests') {
    countLog(readLines(log), total);
    for (const line of readLines(jestCounts)) if (line !== '') add(total, JSON.parse(line));
    const ran = total.passed + total.failed > 0;
    if (status !== '0' ? total.failed === 0 : !ran) add(total, { failed: 1 });
  } else {
    add(total, status === '0' ? { passed: 1 } : { failed: 1 });
  }
  console.log(`=== ${name}: ${total.passed} passed, ${total.failed} failed, ${total.skipped} skipped, ${seconds} s`);
  fs.appendFileSync(totals, `${JSON.stringify({ name, seconds: Number(seconds), ...total })}\n`);
}

function sum([totals]) {
  const total = { passed: 0, failed: 0, skipped: 0 };
  console.log('');
  for (const line of readLines(totals)) {
    if (line === '') continue;
    const step = JSON.parse(line);
    add(total, step);
    const counts = `${step.passed} passed, ${step.failed} failed, ${step.skipped} skipped`;
    console.log(`${step.name.padEnd(16)} ${String(step.seconds).padStart(5)} s   ${counts}`);
  }
  console.log(`${total.passed} passed, ${total.failed} failed, ${total.skipped} skipped`);
  process.exitCode = total.failed === 0 && total.passed > 0 ? 0 : 1;
}

const [command, ...args] = process.argv.slice(2);
if (command === 'step') countStep(args);
else if (command === 'sum') sum(args);
else throw new Error(`unknown command ${command}`);
