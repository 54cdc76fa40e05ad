// `openssl-async doctor`: whether async jobs run here, and why not.
import type { FindingStatus, NamedFinding } from './finding';
import { examine } from './examination';
import { terminal, textWidth, wrap, type Style, type Terminal } from './terminal';

export interface DoctorOptions {
  json?: boolean;
  module?: string[];
}

const MARKS: Record<FindingStatus, [mark: string, style: Style]> = {
  ok: ['✓', 'green'],
  warning: ['!', 'yellow'],
  problem: ['✗', 'red'],
  unknown: ['?', 'yellow'],
};

/** The exit status: 1 when something is wrong. */
export async function doctor({ json = false, module: modules = [] }: DoctorOptions): Promise<number> {
  const findings = await examine(modules);
  const problems = findings.filter(({ status }) => status === 'problem');
  if (json) {
    const checks = Object.fromEntries(findings.map(({ name, ...finding }) => [name, finding]));
    console.log(JSON.stringify({ ok: problems.length === 0, checks }, undefined, 2));
  } else {
    const output = terminal();
    const names = Math.max(...findings.map(({ name }) => (name.startsWith('module ') ? 0 : name.length)));
    for (const finding of findings) console.log(format(finding, names, output));
    console.log(`\n${conclude(findings, problems.length, output)}`);
  }
  return problems.length === 0 ? 0 : 1;
}

function format(
  { name, status, summary, notes = [], remedies = [] }: NamedFinding,
  names: number,
  output: Terminal,
): string {
  const [mark, style] = MARKS[status];
  const indent = ' '.repeat(names + 4);
  const room = output.width - indent.length;
  const head = `${output.paint(style, mark)} ${output.paint('bold', name.padEnd(names))}`;
  // A long name has a line of its own.
  const lines = name.length > names ? [head] : [];
  const rest = wrap(summary, room);
  if (lines.length === 0) lines.push(`${head}  ${rest.shift() ?? ''}`);
  lines.push(...rest.map((line) => `${indent}${line}`));
  for (const note of notes) lines.push(...wrap(note, room).map((line) => `${indent}${output.paint('dim', line)}`));
  for (const remedy of remedies) {
    const [first = '', ...others] = wrap(remedy, room - 2);
    lines.push(`${indent}→ ${first}`, ...others.map((line) => `${indent}  ${line}`));
  }
  return lines.map((line) => (textWidth(line) === 0 ? '' : line)).join('\n');
}

function conclude(findings: readonly NamedFinding[], problems: number, output: Terminal): string {
  const warnings = findings.filter(({ status }) => status === 'warning').length;
  const also = warnings === 0 ? '' : `, ${warnings} ${warnings === 1 ? 'warning' : 'warnings'}`;
  if (problems === 0) return output.paint('green', `Nothing is wrong${also}.`);
  return output.paint('red', `${problems} ${problems === 1 ? 'problem' : 'problems'}${also}.`);
}
