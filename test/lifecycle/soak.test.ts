import * as path from 'node:path';
import { runChild } from '../support/child';

const SOAK = path.join(__dirname, '..', 'bench', 'soak.js');
const SOAK_TLS = path.join(__dirname, '..', 'bench', 'soak-tls.js');

test('thirty thousand operations, many aborted, timed out or wrong, are all settled and leave nothing behind', async () => {
  const args = ['--operations', '30000', '--seed', '1'];
  const { code, stderr, reports } = await runChild(SOAK, { args, timeoutMs: 170_000 });
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  expect(reports()).toEqual([expect.objectContaining({ operations: 30_000, wrong: 0, unsettled: 0, inFlight: 0 })]);
}, 180_000);

test('two thousand connections of TLS, many broken off, leave nothing behind', async () => {
  const { code, stderr, reports } = await runChild(SOAK_TLS, { args: ['--connections', '2000'], timeoutMs: 110_000 });
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  const [report] = reports() as [{ answered: number; broken: number }];
  expect(report).toMatchObject({ failed: 0, left: 0, openSockets: 0, fdGrowth: 0 });
  expect(report.answered + report.broken).toBe(2000);
  expect(report.broken).toBeGreaterThan(100);
}, 120_000);
