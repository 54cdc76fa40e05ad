// The library where Node.js restricts what a process may do: the permission model, and --no-addons.
import { spawnSync } from 'node:child_process';
import * as path from 'node:path';
import { ROOT } from '../support/programs';

const PERMISSION = process.allowedNodeEnvironmentFlags.has('--permission')
  ? '--permission'
  : '--experimental-permission';

const ASK = `
  const { hash, isCapable, unsupportedReason } = require(${JSON.stringify(ROOT)});
  const print = (rest) => console.log(JSON.stringify({ capable: isCapable(), reason: unsupportedReason(), ...rest }));
  (async () => hash('sha256', 'x', { outputEncoding: 'hex' }))().then(
    (digest) => print({ digest }), ({ code, message }) => print({ code, message }));`;

interface Answer {
  capable: boolean;
  reason?: string;
  digest?: string;
  code?: string;
  message?: string;
}

function ask(flags: string[], env: NodeJS.ProcessEnv = {}, program = ASK): Answer {
  const { OPENSSL_ASYNC_ADDON, ...inherited } = process.env;
  void OPENSSL_ASYNC_ADDON; // names a file and so skips the search
  const { stdout, stderr, status } = spawnSync(process.execPath, [...flags, '-e', program], {
    encoding: 'utf8',
    env: { ...inherited, ...env },
  });
  if (status !== 0) throw new Error(stderr);
  return JSON.parse(stdout) as Answer;
}

const remedyOf = ({ message = '' }: Answer): string => /What to do:\n(.*)/.exec(message)?.[1]?.trim() ?? '';

test('read access to the application is enough', () => {
  const answer = ask([PERMISSION, '--allow-addons', `--allow-fs-read=${ROOT}/*`]);
  expect(answer).toMatchObject({ capable: true, digest: expect.stringMatching(/^[0-9a-f]{64}$/) as string });
});

test('an addon that cannot be seen counts as absent, and the advice names the flag', () => {
  const hidden = path.join(path.parse(ROOT).root, 'hidden', 'openssl_async.node');
  const flags = [PERMISSION, '--allow-addons', `--allow-fs-read=${ROOT}/*`];
  const answer = ask(flags, { OPENSSL_ASYNC_ADDON: hidden });
  expect(answer).toMatchObject({ capable: false, code: 'ERR_ASYNC_ADDON_NOT_LOADED' });
  expect(answer.reason).toMatch(/^There is no addon/);
  expect(remedyOf(answer)).toBe(`Let it be read: --allow-fs-read=${hidden}`);
});

test('without --allow-addons the reason is the permission model, and the advice is that flag', () => {
  const answer = ask([PERMISSION, '--allow-fs-read=*']);
  expect(answer).toMatchObject({ capable: false, code: 'ERR_ASYNC_ADDON_NOT_LOADED' });
  expect(answer.reason).toMatch(/permission model/);
  expect(remedyOf(answer)).toBe('Add --allow-addons.');
});

describe('under --no-addons the reason and the advice name the flag', () => {
  const expectNamed = (answer: Answer): void => {
    expect(answer).toMatchObject({ capable: false, code: 'ERR_ASYNC_ADDON_NOT_LOADED' });
    expect(answer.reason).toContain('--no-addons');
    expect(remedyOf(answer)).toBe('Run without --no-addons.');
    expect(answer.message).not.toContain('npm rebuild');
  };

  test('on the command line', () => {
    expectNamed(ask(['--no-addons']));
  });

  test('in NODE_OPTIONS', () => {
    expectNamed(ask([], { NODE_OPTIONS: '--no-addons' }));
  });

  test('in the execArgv of a worker', () => {
    const worker = `new (require('worker_threads').Worker)(${JSON.stringify(ASK)}, { eval: true, execArgv: ['--no-addons'] })`;
    expectNamed(ask([], {}, worker));
  });

  test('where the permission model allows addons', () => {
    expectNamed(ask([PERMISSION, '--allow-addons', '--allow-fs-read=*', '--no-addons']));
  });
});
