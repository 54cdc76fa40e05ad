// Tests of what only jobs do. npm run test:without-jobs runs the others too, with an addon that finds no jobs.
import { isCapable, unsupportedReason } from '../../lib';

/** Whether jobs run here. */
export const HAS_JOBS = isCapable();

if (!HAS_JOBS) console.log(`Skipped: tests that need jobs. ${String(unsupportedReason())}`);
export const testWithJobs = HAS_JOBS ? test : test.skip;
export const describeWithJobs = HAS_JOBS ? describe : describe.skip;
