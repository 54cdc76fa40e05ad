// Jobs that a test starts by itself, in a wait context of its own.
import {
  nativeJobFunction,
  startJob,
  stats,
  WaitContext,
  type Job,
  type JobFunction,
  type PausedResult,
  type StartJobResult,
} from '../../lib';
import { device, int32Args } from './device';
import { resume, toEnd } from './job-steps';

export const returnArg = nativeJobFunction(device.functions.returnArg);
export const countBytes = nativeJobFunction(device.functions.countBytes);
export const pauseOnce = nativeJobFunction(device.functions.pauseOnce);
export const selfWake = nativeJobFunction(device.functions.selfWake);
export const simulated = nativeJobFunction(device.functions.device);

export let context: WaitContext;
const paused: Job[] = [];

beforeEach(() => {
  context = new WaitContext();
});

// Every test leaves nothing behind: what it has paused can still be resumed, whatever was done to it meanwhile.
afterEach(() => {
  for (const job of paused.splice(0)) if (job.state === 'paused') toEnd(resume(job));
  context.close();
  expect(stats().jobs.live).toBe(0);
});

export function start(func: JobFunction, args?: unknown, waitContext: WaitContext = context): StartJobResult {
  const result = startJob(null, waitContext, func, args);
  if (result.status === 'pause') paused.push(result.job);
  return result;
}

export function startPaused(func: JobFunction, args?: unknown, waitContext?: WaitContext): PausedResult {
  const result = start(func, args, waitContext);
  expect(result.status).toBe('pause');
  return result as PausedResult;
}

export function expectUsable(waitContext: WaitContext = context): void {
  expect(start(returnArg, int32Args(5), waitContext)).toEqual({ status: 'finish', returnValue: 5 });
}
