// Runs the probes of `doctor` in a process of their own, since a probe may end it. Such a probe is named, and the rest
// run in the next process.
import { spawn } from 'node:child_process';
import * as os from 'node:os';
import * as path from 'node:path';
import { createInterface } from 'node:readline';
import { problem, type Finding, type NamedFinding } from './finding';
import { probes, runProbe } from './probes';

const PROGRAM = path.join(__dirname, 'probe-process.js');
const PROBE_TIME_LIMIT_MS = 30_000;

/** A message from the process: one line of JSON. */
export type ProbeMessage = { began: string } | NamedFinding;

/** All findings, in order. `modules` are paths. */
export async function examine(modules: readonly string[]): Promise<NamedFinding[]> {
  const names = probes(modules).map(({ name }) => name);
  const findings: NamedFinding[] = [];
  while (findings.length < names.length) {
    const outcome = await runProcess(findings.length, modules);
    if (outcome === undefined) return examineHere(modules);
    findings.push(...outcome.findings);
    if (findings.length === names.length) break;
    const name = outcome.began ?? names[findings.length] ?? '';
    findings.push({ name, ...describeEnd(outcome) });
  }
  return findings;
}

interface Outcome {
  findings: NamedFinding[];
  /** The probe that had not ended. */
  began: string | undefined;
  code: number | null;
  signal: NodeJS.Signals | null;
  timedOut: boolean;
  stderr: string;
}

// Undefined where this process may not start others: with Node.js's permission model, for example.
function runProcess(first: number, modules: readonly string[]): Promise<Outcome | undefined> {
  return new Promise((resolve) => {
    const outcome: Outcome = { findings: [], began: undefined, code: null, signal: null, timedOut: false, stderr: '' };
    let child;
    try {
      const args = [...process.execArgv, PROGRAM, String(first), ...modules];
      child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'pipe'] });
    } catch {
      resolve(undefined);
      return;
    }
    const timer = setTimeout(() => {
      outcome.timedOut = true;
      child.kill('SIGKILL');
    }, PROBE_TIME_LIMIT_MS);
    createInterface(child.stdout).on('line', (line) => {
      const message = parse(line);
      if (message === undefined) return;
      timer.refresh();
      if ('began' in message) {
        outcome.began = message.began;
      } else {
        outcome.findings.push(message);
        outcome.began = undefined;
      }
    });
    child.stderr.setEncoding('utf8').on('data', (text: string) => (outcome.stderr += text));
    child.on('error', () => {
      clearTimeout(timer);
      resolve(undefined);
    });
    child.on('close', (code, signal) => {
      clearTimeout(timer);
      resolve({ ...outcome, code, signal });
    });
  });
}

function parse(line: string): ProbeMessage | undefined {
  try {
    return JSON.parse(line) as ProbeMessage;
  } catch {
    return undefined; // printed by somebody else
  }
}

function describeEnd({ code, signal, timedOut, stderr }: Outcome): Finding {
  const how = timedOut
    ? `did not end within ${PROBE_TIME_LIMIT_MS / 1000} s`
    : `ended the process with ${signal === null ? `status ${String(code)}` : `${signal} (${os.constants.signals[signal]})`}`;
  const lines = stderr.split('\n').filter((line) => line.trim() !== '');
  const remedy =
    'Look for other native modules, and at OPENSSL_CONF and NODE_OPTIONS; if there are none, please report it.';
  return problem(`the probe ${how}`, [remedy], { notes: lines.slice(-5), details: { code, signal, timedOut } });
}

async function examineHere(modules: readonly string[]): Promise<NamedFinding[]> {
  const findings: NamedFinding[] = [];
  for (const probe of probes(modules)) findings.push({ name: probe.name, ...(await runProbe(probe)) });
  return findings;
}
