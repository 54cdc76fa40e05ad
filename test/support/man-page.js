'use strict';

/** The lines that the example program of ASYNC_start_job(3) prints. */
const MAN_PAGE_LINES = [
  'Starting...',
  'Executing within a job',
  'Passed in message is: Hello world!',
  'Job was paused',
  'Waiting for the job to be woken up',
  'Resumed the job after a pause',
  'Job finished with return value 1',
  'Finishing',
];

module.exports = { MAN_PAGE_LINES };
