// lib/cli/finding.ts: errors as the command-line tool prints them.
import { readFileSync } from 'node:fs';
import { asyncError } from '../../lib/base/errors';
import { messageOf } from '../../lib/cli/finding';

function thrownBy(action: () => unknown): unknown {
  try {
    action();
  } catch (error) {
    return error;
  }
  throw new Error('Nothing was thrown');
}

test('a code stands before the message once, whoever has put it there', () => {
  const ofSystem = thrownBy(() => readFileSync('/nonexistent/module.so'));
  expect(messageOf(ofSystem)).toMatch(/^ENOENT: no such file/);
  expect(messageOf(asyncError('ERR_ASYNC_ENGINE', 'It has none'))).toBe('ERR_ASYNC_ENGINE: It has none');
  expect(messageOf(new Error('No code'))).toBe('No code');
  expect(messageOf('no error')).toBe('no error');
});
