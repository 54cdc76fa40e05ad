// Programs of others that judge servers: clients and scanners.
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { foreignEnvironment } from './foreign';

/** `describe` where the program is installed, and otherwise a `describe.skip` that says so. */
export function describeWith(program: string): jest.Describe {
  const { error } = spawnSync(program, ['--version'], { env: foreignEnvironment(), stdio: 'ignore' });
  if (error === undefined) return describe;
  console.log(`Skipped: ${program} is not installed.`);
  return describe.skip;
}

/** A line that a program is given once it has said something. */
export interface Line {
  after: RegExp;
  text: string;
}

/** Runs a program that is given each line in turn. Its input stays open until it ends. Gives both of its outputs. */
export async function converse(program: string, args: string[], lines: Line[]): Promise<string> {
  const child = spawn(program, args, { env: foreignEnvironment(), stdio: 'pipe' });
  const left = [...lines];
  let said = '';
  const hear = (text: string): void => {
    said += text;
    while (left[0]?.after.test(said) === true) child.stdin.write((left.shift() as Line).text);
  };
  for (const stream of [child.stdout, child.stderr]) stream.setEncoding('utf8').on('data', hear);
  child.stdin.on('error', () => undefined);
  await once(child, 'close');
  return said;
}
