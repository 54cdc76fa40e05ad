// Programs that need a process of their own: what they do concerns the whole process or thread.
import { spawn } from 'node:child_process';
import * as path from 'node:path';
import type { Device } from './device';
import type { Library } from './library';

export const ROOT = path.join(__dirname, '..', '..');

/** What a program is given; it may not refer to anything else. */
export interface ChildContext {
  library: Library;
  device: Device;
  require: NodeJS.Require;
  /** The arguments of the C functions, as test/support/device.ts makes them. */
  int32Args(...values: number[]): Buffer;
  codeOf(action: () => unknown): unknown;
  rejectionCode(promise: Promise<unknown>): Promise<unknown>;
}

export interface ChildOptions {
  /** The node binary; this process's own by default. */
  node?: string;
  nodeArgs?: string[];
  /** Besides this process's environment. */
  env?: NodeJS.ProcessEnv;
}

export interface ChildOutcome<Result> {
  /** What the program returned, if it got so far. */
  result: Result | undefined;
  exitCode: number | null;
  signal: NodeJS.Signals | null;
  stdout: string;
  stderr: string;
}

// Sent to the child as text.
const codeOf = (action: () => unknown): unknown => {
  try {
    action();
  } catch (error) {
    return (error as { code?: unknown }).code;
  }
  return undefined;
};
const rejectionCode = (promise: Promise<unknown>): Promise<unknown> =>
  promise.then(
    () => undefined,
    (error: unknown) => (error as { code?: unknown }).code,
  );
const int32Args = (...values: number[]): Buffer => Buffer.from(new Int32Array(values).buffer);

/** Runs `program` with the built library (dist) in another process; what it returns must survive JSON. */
export async function inChild<Result>(
  program: (context: ChildContext) => Result | Promise<Result>,
  options: ChildOptions = {},
): Promise<ChildOutcome<Awaited<Result>>> {
  const source = `
    const context = {
      library: require('./dist'),
      require,
      device: require(process.env.OPENSSL_ASYNC_TEST_DEVICE ?? './build/Release/test_device.node'),
      codeOf: ${codeOf.toString()},
      rejectionCode: ${rejectionCode.toString()},
      int32Args: ${int32Args.toString()},
    };
    void (async () => {
      const result = await (${program.toString()})(context);
      require('node:fs').writeSync(3, JSON.stringify(result) ?? 'null');
    })();`;
  const { nodeArgs = [], env } = options;
  const outcome = await run(options.node ?? process.execPath, [...nodeArgs, '-e', source], env);
  return {
    ...outcome,
    result: outcome.result === '' ? undefined : (JSON.parse(outcome.result) as Awaited<Result>),
  };
}

/** Runs node in the repository's root. `result` is what the process writes to its fd 3. */
export function run(
  node: string,
  args: string[],
  env?: NodeJS.ProcessEnv,
): Promise<ChildOutcome<string> & { result: string }> {
  return new Promise((resolve, reject) => {
    const child = spawn(node, args, {
      cwd: ROOT,
      env: env && { ...process.env, ...env },
      stdio: ['ignore', 'pipe', 'pipe', 'pipe'],
    });
    const texts: Record<number, string> = { 1: '', 2: '', 3: '' };
    for (const fd of [1, 2, 3]) {
      (child.stdio[fd] as NodeJS.ReadableStream)
        .setEncoding('utf8')
        .on('data', (text: string) => (texts[fd] = `${texts[fd] ?? ''}${text}`));
    }
    child.on('error', reject);
    child.on('close', (exitCode, signal) => {
      const { 1: stdout = '', 2: stderr = '', 3: result = '' } = texts;
      resolve({ result, exitCode, signal, stdout, stderr });
    });
  });
}

/** The outcome's result; throws when the program did not get so far or did not end well. */
export function resultOf<Result>({ result, exitCode, signal, stderr }: ChildOutcome<Result>): Result {
  if (exitCode !== 0 || result === undefined) {
    throw new Error(`The child ended with ${String(signal ?? exitCode)}:\n${stderr}`);
  }
  return result;
}
