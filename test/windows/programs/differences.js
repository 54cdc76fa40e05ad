'use strict';

// The behaviour that is Windows' own. Prints one line of JSON at its end.

const assert = require('node:assert');
const { openSync, readSync } = require('node:fs');
const path = require('node:path');
const device = require(process.env.OPENSSL_ASYNC_TEST_DEVICE);
const { configure, loadProvider, nativeJobFunction, runJob, stats } = require('../../..');

const errorOf = (call) => {
  try {
    call();
    return undefined;
  } catch ({ code }) {
    return code;
  }
};

/** The size of a stack that the program's file asks for: PE32+, optional header, SizeOfStackReserve. */
function stackReserve(file) {
  const bytes = Buffer.alloc(4096);
  readSync(openSync(file, 'r'), bytes, 0, bytes.length, 0);
  const header = bytes.readUInt32LE(0x3c);
  assert.strictEqual(bytes.toString('latin1', header, header + 4), 'PE\0\0');
  return Number(bytes.readBigUInt64LE(header + 24 + 72));
}

function argument(number) {
  const bytes = Buffer.alloc(4);
  bytes.writeInt32LE(number);
  return bytes;
}

// The job is driven on by polling, after its caller was told.
async function codeOfWaitingFor(name) {
  const code = await runJob(nativeJobFunction(device.functions[name]), { args: argument(3) }).then(
    () => undefined,
    (error) => error.code,
  );
  while (stats().jobs.live > 0) await new Promise((resolve) => setImmediate(resolve));
  return code;
}

async function main() {
  const { sizeBytes: before, mode } = stats().stacks;
  const largest = stackReserve(process.execPath);
  const tooLarge = errorOf(() => configure({ stackSizeBytes: 16_777_216 }));
  configure({ stackSizeBytes: 16_384 });
  // Deeper than the stack that was asked for, and than the 1 MiB of a thread.
  const deep = await runJob(nativeJobFunction(device.functions.overflowStack), { args: argument(6_000_000) });
  const { sizeBytes } = stats().stacks;
  const closedHandle = await codeOfWaitingFor('closedFd');
  const unwaitableHandle = await codeOfWaitingFor('regularFileFd');
  const unnamable = path.join(process.argv[2], 'reference_provider.dll');
  const refused = await loadProvider('unnamable', { path: unnamable }).then(
    () => undefined,
    ({ code, message }) => ({ code, namesCodePage: /code page \d+/.test(message) }),
  );
  console.log(
    JSON.stringify({
      before: { sizeBytes: before, mode },
      isReserve: sizeBytes === largest,
      sizeBytes,
      tooLarge,
      deep: deep.returnValue,
      closedHandle,
      unwaitableHandle,
      refused,
    }),
  );
}

main().catch((error) => {
  console.error(error);
  process.exitCode = 1;
});
