'use strict';

// The processor time of this process's threads so far, in microseconds. Linux: the C library's name for a thread's own time
// is not Node's to give.

const fs = require('node:fs');

const read = (thread, file) => fs.readFileSync(`/proc/self/task/${thread}/${file}`, 'utf8');
const microsOf = (thread) => Number(read(thread, 'schedstat').split(' ')[0]) / 1000;

/** Its number is the process's. */
const mainThreadMicros = () => microsOf(process.pid);

/** All threads that do handshakes, and records. */
const tlsThreadsMicros = () =>
  fs
    .readdirSync('/proc/self/task')
    .filter((thread) => read(thread, 'comm') === 'openssl-tls\n')
    .reduce((sum, thread) => sum + microsOf(thread), 0);

module.exports = { mainThreadMicros, tlsThreadsMicros };
