// What an operation leaves of secrets in memory when everything that its caller got or gave is wiped.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import * as path from 'node:path';
import * as readline from 'node:readline';
import { occurrences } from '../support/memory';

// A thread's first call of a function of another library leaves the registers on its stack: the dynamic linker saves them.
const MOST_OF_FIRST_CALLS = 2;
const SCENARIO = path.join(__dirname, 'scenarios', 'secrets-in-memory.js');

/** How many copies of its secrets are left of an operation, done 200 times. */
async function copiesLeft(which: 'ours' | 'node', operation: string, mode: string): Promise<number> {
  const args = [SCENARIO, which, operation, mode];
  const child = spawn(process.execPath, args, { stdio: ['pipe', 'pipe', 'inherit'], timeout: 50_000 });
  try {
    const [line] = (await once(readline.createInterface(child.stdout), 'line')) as [string];
    const { mask, masked } = JSON.parse(line) as { mask: number; masked: string[] };
    const secrets = masked.map((hex) => Buffer.from(hex, 'hex').map((byte) => byte ^ mask) as Buffer);
    return occurrences(
      child.pid as number,
      secrets.map((secret) => Buffer.from(secret)),
    );
  } finally {
    child.stdin.end();
  }
}

const onLinux = process.platform === 'linux' ? describe : describe.skip;
onLinux('copies of secrets that are left', () => {
  test.each([
    'hkdf',
    'pbkdf2',
    'scrypt',
    'randomBytes',
    'randomFill',
    'hmac',
    'hash',
    'createHash',
    'encrypt',
    'decrypt',
    'createDecipheriv',
    'diffieHellman',
    'privateDecrypt',
    'generateKeyPair',
    'secretKeyObject',
  ])(
    '%s: at most as many as of node:crypto',
    async (operation) => {
      const [inline, offloaded, node] = [
        await copiesLeft('ours', operation, 'inline'),
        await copiesLeft('ours', operation, 'offload'),
        await copiesLeft('node', operation, 'auto'),
      ];
      expect(Math.max(inline, offloaded)).toBeLessThanOrEqual(node + MOST_OF_FIRST_CALLS);
    },
    60_000,
  );
});
