// A job that a test starts by hand, step by step.
import { jobFunction, startJob, type Job, type StartJobResult } from '../../lib';

export const pauseTwice = jobFunction(function* (job) {
  yield job.pause();
  yield job.pause();
  return 7;
});

export function resume(job: Job): StartJobResult {
  return startJob(job, job.waitContext);
}

export function toEnd(result: StartJobResult): StartJobResult {
  while (result.status === 'pause') result = resume(result.job);
  return result;
}
