// Every way in which a device can wake a job, by either API, alone and two hundred at a time.
import type { JobFunction, JobResult, StartJobResult, WaitContext } from '../../lib';
import { device, deviceRequest, WAKE_MODES, type WakeMode } from '../support/device';
import { freshLibrary, type Library } from '../support/library';

type Kind = 'fd' | 'callback' | 'poll' | 'none';

/** What each mode is woken by when the library's own callback is set on the context, as runJob does. */
const KIND_OF_MODE: Record<WakeMode, Kind> = {
  'fd-cached': 'fd',
  'fd-fresh': 'fd',
  'fds-many': 'fd',
  'callback-same-thread': 'callback',
  'callback-thread': 'callback',
  none: 'poll',
  again: 'poll',
  'status-error': 'poll',
  'callback-or-fd': 'callback',
  sync: 'none',
};
const MODES = Object.keys(WAKE_MODES) as WakeMode[];

/** How often a job of this mode pauses at least, when it is asked for `pauses`. */
function leastPauses(mode: WakeMode, pauses: number): number {
  if (mode === 'sync') return 0;
  return mode === 'status-error' ? 1 : pauses;
}

let library: Library;
let simulated: JobFunction;
let contexts: WaitContext[];

beforeEach(() => {
  library = freshLibrary();
  simulated = library.nativeJobFunction(device.functions.device);
});

async function byHand(waitContext: WaitContext, args: Buffer): Promise<{ result: StartJobResult; pauses: number }> {
  let result = library.startJob(null, waitContext, simulated, args);
  let pauses = 0;
  for (; result.status === 'pause'; ++pauses) {
    await waitContext.wait();
    result = library.startJob(result.job, waitContext);
  }
  return { result, pauses };
}

describe.each([1, 200])('%i in flight', (inFlight) => {
  beforeEach(() => {
    contexts = Array.from({ length: inFlight }, () => new library.WaitContext());
  });

  describe.each([1, 5])('pausing for %i operations', (pauses) => {
    describe.each(MODES)('in the mode %s', (mode) => {
      const request = (i: number): Buffer =>
        deviceRequest({
          mode,
          pauses,
          againCount: pauses,
          latencyMicros: 200,
          latencySpreadMicros: 200,
          returnValue: i,
        });
      const expected = (i: number): number => (mode === 'status-error' ? 0 : i);
      const kind = KIND_OF_MODE[mode];

      function expectBalance(before: ReturnType<typeof device.stats>): void {
        for (const context of contexts) context.close();
        const after = device.stats();
        expect(after.fdsOpened - before.fdsOpened).toBe(after.fdsClosed - before.fdsClosed);
        expect(after.submitted - before.submitted).toBe(after.completed - before.completed);
        expect(after.inFlight).toBe(0);
        expect(library.stats().jobs).toMatchObject({ live: 0, queued: 0, ready: 0, waiting: 0 });
        if (kind === 'fd') expect(after.wakesWritten - before.wakesWritten).toBe(inFlight * pauses);
      }

      test('runJob resumes for that and for nothing else', async () => {
        const before = device.stats();
        const results: JobResult[] = await Promise.all(
          contexts.map((waitContext, i) => library.runJob(simulated, { args: request(i), waitContext })),
        );
        expect(results.map(({ returnValue }) => returnValue)).toEqual(results.map((_, i) => expected(i)));
        const least = leastPauses(mode, pauses);
        for (const result of results) {
          const { fd, callback, poll } = result.wakeups;
          expect(result.pauses).toBeGreaterThanOrEqual(least);
          expect(fd + callback + poll).toBe(result.pauses);
          if (kind !== 'poll') {
            expect(result.pauses).toBe(least);
            expect(result.wakeups).toEqual({
              fd: 0,
              callback: 0,
              poll: 0,
              ...(kind === 'none' ? {} : { [kind]: least }),
            });
          } else {
            expect([fd, callback]).toEqual([0, 0]);
          }
        }
        const { wakeups, jobs } = library.stats();
        expect(wakeups.fd + wakeups.callback + wakeups.poll).toBe(jobs.pauses);
        expect(jobs).toMatchObject({ submitted: inFlight, finished: inFlight, failed: 0 });
        expect(device.stats().spuriousResumes).toBe(before.spuriousResumes);
        expectBalance(before);
      });

      test('startJob and wait() get there', async () => {
        const before = device.stats();
        const outcomes = await Promise.all(contexts.map((waitContext, i) => byHand(waitContext, request(i))));
        for (const [i, outcome] of outcomes.entries()) {
          expect(outcome.result).toMatchObject({ status: 'finish', returnValue: expected(i) });
          expect(outcome.pauses).toBeGreaterThanOrEqual(leastPauses(mode, pauses));
          if (kind === 'fd') expect(outcome.pauses).toBe(pauses);
        }
        expect(device.stats().foreignCallbacks).toBe(before.foreignCallbacks);
        // Without a callback a 'callback-or-fd' engine uses its fd.
        if (mode === 'callback-or-fd') {
          expect(device.stats().wakesWritten - before.wakesWritten).toBe(inFlight * pauses);
        }
        expectBalance(before);
      });

      test('startJob and wait() get there with a callback', async () => {
        const before = device.stats();
        let called = 0;
        for (const context of contexts) context.setCallback(() => ++called);
        const outcomes = await Promise.all(contexts.map((waitContext, i) => byHand(waitContext, request(i))));
        for (const [i, outcome] of outcomes.entries()) {
          expect(outcome.result).toMatchObject({ status: 'finish', returnValue: expected(i) });
          if (kind === 'fd' || kind === 'callback') expect(outcome.pauses).toBe(pauses);
        }
        expect(called).toBe(kind === 'callback' ? inFlight * pauses : 0);
        const { sameThreadCallbacks, foreignCallbacks } = device.stats();
        expect(sameThreadCallbacks + foreignCallbacks - before.sameThreadCallbacks - before.foreignCallbacks).toBe(
          called,
        );
        expectBalance(before);
      });
    });
  });
});
