'use strict';

const crypto = require('node:crypto');
const { parentPort, workerData } = require('node:worker_threads');

parentPort.on('message', ({ id, data }) => {
  parentPort.postMessage({ id, signature: crypto.sign('sha256', data, workerData) });
});
