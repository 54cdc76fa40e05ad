import * as path from 'node:path';
import { runChild } from '../support/child';

const SOAK = path.join(__dirname, '..', 'bench', 'soak.js');

test('thirty thousand operations, many aborted, timed out or wrong, are all settled and leave nothing behind', async () => {
  const args = ['--operations', '30000', '--seed', '1'];
  const { code, stderr, reports } = await runChild(SOAK, { args, timeoutMs: 170_000 });
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  expect(reports()).toEqual([expect.objectContaining({ operations: 30_000, wrong: 0, unsettled: 0, inFlight: 0 })]);
}, 180_000);
