'use strict';

// Runs a part of a scenario in a worker thread.

const { Worker } = require('node:worker_threads');

/** Starts the scenario `file` once more, as a worker; see `started` and `ended`. */
function startWorker(file, workerData = {}, options = {}) {
  const worker = new Worker(file, { workerData, ...options });
  const messages = [];
  const result = { worker, messages };
  /** Resolves with the first message. */
  result.said = new Promise((resolve) => {
    worker.on('message', (message) => {
      messages.push(message);
      resolve(message);
    });
  });
  /** Resolves with the exit code, and what the worker died of. */
  result.ended = new Promise((resolve) => {
    let error;
    worker.on('error', (thrown) => (error = thrown));
    worker.on('exit', (code) => resolve({ code, error, messages }));
  });
  return result;
}

module.exports = { startWorker };
