import { runAndCheck } from '../support/scenario/expectations';

const WORKERS = 1000;
// What Node itself keeps of a worker that never loads the library was measured as up to 6 KiB.
const MOST_BYTES_PER_WORKER = 16 * 1024;

test('a thousand workers that run jobs leave nothing behind', async () => {
  const [growth] = await runAndCheck('worker-churn', {}, { args: [String(WORKERS)], timeoutMs: 170_000 });
  expect(growth).toMatchObject({ codes: [0], inFlight: 0, deviceFdsLeft: 0 });
  const { rssBytesPerWorker, fdsPerWorker } = growth as { rssBytesPerWorker: number; fdsPerWorker: number };
  expect(rssBytesPerWorker).toBeLessThan(MOST_BYTES_PER_WORKER);
  expect(fdsPerWorker).toBeLessThan(0.02);
}, 180_000);
