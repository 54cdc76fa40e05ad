// Runs a program of the tests in a Node process of its own: what ends a process or an environment is tested there.
import { spawn } from 'node:child_process';
import * as path from 'node:path';
import { whereItWaits } from './stuck-process';

export interface ChildOptions {
  /** For the program. */
  args?: readonly string[];
  /** For Node. */
  execArgv?: readonly string[];
  /** Besides the environment of this process. */
  env?: NodeJS.ProcessEnv;
  /** After so long the child is killed, and `timedOut` says so. Default 30 000. */
  timeoutMs?: number;
  /** The Node binary. Default: OPENSSL_ASYNC_NODE, else the running one. */
  node?: string;
}

export interface ChildResult {
  code: number | null;
  signal: NodeJS.Signals | null;
  timedOut: boolean;
  /** Of a child that was killed: where its threads waited. */
  waitedAt: string[];
  stdout: string;
  stderr: string;
  /** What the program printed, one JSON value per line. */
  reports: () => unknown[];
}

/** Runs a JavaScript file to its end, however it ends. */
export function runChild(file: string, options: ChildOptions = {}): Promise<ChildResult> {
  const node = options.node ?? process.env.OPENSSL_ASYNC_NODE ?? process.execPath;
  return new Promise((resolve, reject) => {
    const child = spawn(node, [...(options.execArgv ?? []), file, ...(options.args ?? [])], {
      env: { ...process.env, NODE_OPTIONS: '', ...options.env },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    let stdout = '';
    let stderr = '';
    let timedOut = false;
    let waitedAt: string[] = [];
    const timer = setTimeout(() => {
      timedOut = true;
      if (child.pid !== undefined) waitedAt = whereItWaits(child.pid);
      child.kill('SIGKILL');
    }, options.timeoutMs ?? 30_000);
    child.stdout.setEncoding('utf8').on('data', (text: string) => (stdout += text));
    child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text));
    child.on('error', (error) => {
      clearTimeout(timer);
      reject(error);
    });
    child.on('close', (code, signal) => {
      clearTimeout(timer);
      const reports = (): unknown[] =>
        stdout
          .split('\n')
          .filter((line) => line !== '')
          .map((line) => JSON.parse(line) as unknown);
      resolve({ code, signal, timedOut, waitedAt, stdout, stderr, reports });
    });
  });
}

/** Runs test/lifecycle/scenarios/`name`.js. */
export function runScenario(name: string, options: ChildOptions = {}): Promise<ChildResult> {
  return runChild(path.join(__dirname, '..', 'lifecycle', 'scenarios', `${name}.js`), options);
}
