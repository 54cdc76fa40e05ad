'use strict';

// Every good and bad call of test/support/operation-corpus.js, in every mode, several times: what they allocate must be
// gone at the end, and what they are given must not be written to. Meant for sanitizers and Valgrind.
//
//   node operation-corpus.js [rounds]

const library = require('../../support/scenario/library');
const { operationCorpus } = require('../../support/operation-corpus');

const { check, report } = library;
const MODES = ['auto', 'inline', 'offload'];

async function outcome({ call }, options) {
  try {
    return { value: await call(options) };
  } catch (error) {
    return { rejected: true, code: error.code };
  }
}

async function main() {
  const rounds = Number(process.argv[2] ?? 5);
  const { good, bad } = operationCorpus(library);
  let calls = 0;
  for (let round = 0; round < rounds; ++round) {
    await Promise.all(
      MODES.flatMap((mode) => [
        ...good.map(async (row) => {
          const { value, code } = await outcome(row, { mode });
          check(
            code === undefined && row.isRight(value),
            `${row.operation}, ${row.title}, ${mode}: ${code ?? 'wrong'}`,
          );
          ++calls;
        }),
        ...bad.map(async (row) => {
          const { value, rejected, code } = await outcome(row, { mode });
          const as = 'value' in row ? value === row.value : rejected && code === row.code;
          check(as, `${row.operation}, ${row.title}, ${mode}: ${code ?? value}`);
          ++calls;
        }),
      ]),
    );
  }
  check(library.operations.inFlight === 0, 'nothing is in flight');
  report({ calls: calls === rounds * MODES.length * (good.length + bad.length) });
}

main().catch((error) => {
  console.error(error);
  process.exitCode = 1;
});
