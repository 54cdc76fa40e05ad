// What every scenario must show: a proper end, in time, and nothing unexpected on stderr.
import { runScenario, type ChildOptions, type ChildResult } from '../child';

/** Only the device can end these; support/outstanding.js leaves so many of them. */
export const NATIVE_JOBS = 400;

const WARNING =
  /^\(openssl-async\) Warning: (\d+) paused OpenSSL jobs did not end within (\d+) ms of their environment's end and were abandoned with their memory \(about \d+ KiB\): .+$/;

/** The counts of the warnings on stderr, one for each environment that abandoned jobs. */
export function warnings({ stderr }: ChildResult): number[] {
  return stderr.split('\n').flatMap((line) => {
    const match = WARNING.exec(line);
    return match === null ? [] : [Number(match[1])];
  });
}

/** What else stands on stderr. */
export function otherLines({ stderr }: ChildResult): string[] {
  return stderr.split('\n').filter((line) => line !== '' && !WARNING.test(line));
}

export interface Expected {
  code?: number;
  /** As `warnings()`. */
  abandoned?: number[];
  /** All of stderr besides the warnings matches it; nothing by default. */
  stderr?: RegExp;
}

/** Runs a scenario, checks how it ended, and gives what it reported. */
export async function runAndCheck(
  name: string,
  expected: Expected = {},
  options: ChildOptions = {},
): Promise<unknown[]> {
  const result = await runScenario(name, options);
  const { code, signal, timedOut, waitedAt } = result;
  const others = otherLines(result);
  const end = { code, signal, timedOut, waitedAt, abandoned: warnings(result), others: expected.stderr ? [] : others };
  expect(end).toEqual({
    code: expected.code ?? 0,
    signal: null,
    timedOut: false,
    waitedAt: [],
    abandoned: expected.abandoned ?? [],
    others: [],
  });
  if (expected.stderr !== undefined) expect(others.join('\n')).toMatch(expected.stderr);
  return result.reports();
}
