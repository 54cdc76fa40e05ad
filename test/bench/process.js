'use strict';

// A measurement is taken by a process of its own, which prints one line of JSON.

const { execFile } = require('node:child_process');
const path = require('node:path');
const { promisify } = require('node:util');

const run = promisify(execFile);
const root = path.join(__dirname, '..', '..');
// More than any trial needs beside its measured time, on a slow machine too.
const GRACE_MS = 15_000;

/**
 * @returns {Promise<{ stdout: string, stderr: string }>} what the process printed; rejects when it failed or took longer
 *   than its `seconds` allow, or than `limitMs`
 */
async function runProcess([command, ...args], { seconds, limitMs, env = {} }) {
  const timeout = Math.max(1, Math.round(Math.min(seconds * 1200 + GRACE_MS, limitMs)));
  try {
    return await run(command, args.map(String), {
      cwd: root,
      env: { ...process.env, ...env },
      timeout,
      killSignal: 'SIGKILL',
    });
  } catch (error) {
    // One that has work in flight, which Node would finish first, ends itself when it has printed its result.
    if (!error.killed && error.signal === 'SIGKILL' && error.stdout.endsWith('\n')) return error;
    if (error.killed) throw new Error(`no result within ${Math.round(timeout / 1000)} s`, { cause: error });
    const said = error.stderr
      ?.trim()
      .split('\n')
      .find((line) => /error|baseline:/i.test(line));
    throw new Error(said ?? `ended with ${error.signal ?? `status ${error.code}`}`, { cause: error });
  }
}

/** As {@link runProcess}; resolves with the value that the process printed. */
async function runMeasurement(command, options) {
  return JSON.parse((await runProcess(command, options)).stdout);
}

module.exports = { root, runMeasurement, runProcess };
