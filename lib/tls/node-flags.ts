// Flags of the command line that node:tls heeds and does not tell of.
import { appendFile } from 'node:fs';
import { invalidArgType } from '../base/errors';

// The last value counts; NODE_OPTIONS comes first. There, quotes hold a value with spaces together. Read once: later changes
// of NODE_OPTIONS are for children of this process.
const given = readFlags();

function readFlags(): string[] {
  const words = (process.env.NODE_OPTIONS ?? '').match(/(?:[^\s"]|"(?:\\.|[^"\\])*")+/g) ?? [];
  const plain = words.map((word) =>
    word.replace(/"((?:\\.|[^"\\])*)"/g, (_, inner: string) => inner.replace(/\\(.)/g, '$1')),
  );
  // Names may have underscores for dashes.
  return [...plain, ...process.execArgv].map((each) => each.replace(/^--[^=]*/, (name) => name.replaceAll('_', '-')));
}

/** Whether the last one of two flags is the first of them; undefined where neither is given. */
export function lastOf(flag: string, opposite: string): boolean | undefined {
  const last = given.filter((each) => each === flag || each === opposite).pop();
  return last === undefined ? undefined : last === flag;
}

function valueOf(flag: string): string | undefined {
  const last = given.findLastIndex((each) => each === flag || each.startsWith(`${flag}=`));
  if (last < 0) return undefined;
  const text = given[last] as string;
  return text === flag ? given[last + 1] : text.slice(flag.length + 1);
}

let traces: boolean | undefined;

/** `--trace-tls`. */
export function tracesByFlag(): boolean {
  if (traces !== undefined) return traces;
  traces = lastOf('--trace-tls', '--no-trace-tls') === true;
  if (traces) process.emitWarning('Enabling --trace-tls can expose sensitive data in the resulting log.');
  return traces;
}

/** Of the option `enableTrace`. */
export function toTraces(value: unknown): boolean {
  if (value === undefined || value === null) return tracesByFlag();
  if (typeof value !== 'boolean') throw invalidArgType('options.enableTrace', 'of type boolean', value);
  return value;
}

let keyLog: { file: string | undefined } | undefined;
let warnsOfFailure = true;

function keyLogFile(): string | undefined {
  if (keyLog !== undefined) return keyLog.file;
  const value = valueOf('--tls-keylog');
  keyLog = { file: value === '' ? undefined : value };
  const { file } = keyLog;
  if (file !== undefined) {
    process.emitWarning(
      `Using --tls-keylog makes TLS connections insecure by writing secret key material to file ${file}`,
    );
  }
  return file;
}

/** `--tls-keylog`. */
export function logsKeysByFlag(): boolean {
  return keyLogFile() !== undefined;
}

/** Adds a line to that file. */
export function logKey(line: Buffer): void {
  const file = keyLogFile();
  if (file === undefined) return;
  appendFile(file, line, { mode: 0o600 }, (error) => {
    if (error === null || !warnsOfFailure) return;
    warnsOfFailure = false;
    process.emitWarning(`Failed to write TLS keylog (this warning will not be repeated): ${error.message}`);
  });
}
