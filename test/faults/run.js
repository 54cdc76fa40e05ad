'use strict';

// Runs one of the programs of this folder to its end, however it ends.

const { spawn } = require('node:child_process');
const path = require('node:path');

// Far more than any of them takes: what runs into it hangs.
const HANG_MS = 60_000;

// src-native/base/memory.cc
const OUT_OF_MEMORY = /^\(openssl-async\) Out of memory: .* could not be allocated; the process cannot go on\.$/m;

// There are few enough to use all of them up.
const DESCRIPTORS = 256;
const LIMITED = ['/bin/sh', '-c', `ulimit -n ${DESCRIPTORS} && exec "$0" "$@"`];

/** @returns {Promise<{code, signal, stdout, stderr, hung}>} */
function run(program, args = [], env = {}) {
  return new Promise((resolve, reject) => {
    const [command, ...rest] = [...LIMITED, process.execPath, path.join(__dirname, program), ...args];
    const child = spawn(command, rest, {
      env: { ...process.env, NODE_TEST_CONTEXT: undefined, ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    let stdout = '';
    let stderr = '';
    let hung = false;
    const timer = setTimeout(() => {
      hung = true;
      child.kill('SIGKILL');
    }, HANG_MS);
    child.stdout.setEncoding('utf8').on('data', (text) => (stdout += text));
    child.stderr.setEncoding('utf8').on('data', (text) => (stderr += text));
    child.on('error', reject);
    child.on('close', (code, signal) => {
      clearTimeout(timer);
      resolve({ code, signal, stdout, stderr, hung });
    });
  });
}

const isOfOpenSSL = ({ code }) => code.startsWith('ERR_OSSL_');

/** What is wrong with how a program ended that reports { rounds, errors }, the latter by round; undefined for nothing. */
function faultOf({ code, signal, stdout, stderr, hung }, { mayDie = false, mayHarmOpenSSL = false } = {}) {
  if (hung) return `hangs: ${stdout}${stderr}`;
  if (signal !== null) {
    return mayDie && signal === 'SIGABRT' && OUT_OF_MEMORY.test(stderr) ? undefined : `${signal}: ${stderr}`;
  }
  if (code !== 0) return `exit code ${code}: ${stderr}`;
  const { errors, nodeWorks } = JSON.parse(stdout);
  const untyped = errors.flat().find((error) => typeof error.code !== 'string');
  if (untyped !== undefined) return `no code: ${JSON.stringify(untyped)}`;
  const isHarmed = mayHarmOpenSSL && !nodeWorks && errors.slice(1).flat().every(isOfOpenSSL);
  return errors.length > 1 && !isHarmed ? `stays: ${stdout}` : undefined;
}

module.exports = { faultOf, run };
