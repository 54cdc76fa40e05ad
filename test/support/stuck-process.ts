// Where a process that does not end is waiting: a test that times out is else a riddle, above all on another machine.
import { spawnSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';

const GDB = ['-batch', '-nx', '-iex', 'set debuginfod enabled off', '-ex', 'thread apply all -ascending backtrace 16'];

/** From `#3  0x00… in uv_cond_wait (cond=…) at …`, the function's name. */
function nameInFrame(frame: string): string {
  const name = /^#\d+\s+(?:0x[0-9a-f]+ in )?(.*)$/.exec(frame)?.[1] ?? '';
  return name.replace(/ \(.*$/s, '').slice(0, 60);
}

/** A line for each thread, the main one first: the functions it is in, the innermost first. */
function backtraces(pid: number): string[] {
  const stdout = spawnSync('gdb', [...GDB, '-p', String(pid)], { encoding: 'utf8', timeout: 60_000 }).stdout as
    string | null; // null without the program
  const [, ...threads] = (stdout ?? '').split(/^Thread (?=\d+ \()/m);
  return threads.map((thread) => {
    const [title = '', ...rest] = thread.split('\n');
    const names = rest.filter((line) => line.startsWith('#')).map(nameInFrame);
    return `${/"(.*)"/.exec(title)?.[1] ?? title}: ${names.join(' < ')}`;
  });
}

function read(file: string): string {
  try {
    return readFileSync(file, 'utf8').trim();
  } catch {
    return '?';
  }
}

/** Without a debugger: each thread's name, and the function of the kernel in which it sleeps. */
function kernelWaits(pid: number): string[] {
  const folder = `/proc/${pid}/task`;
  try {
    return readdirSync(folder).map((id) => `${read(`${folder}/${id}/comm`)}: ${read(`${folder}/${id}/wchan`)}`);
  } catch {
    return []; // another platform, or the process has ended
  }
}

/** A line for each thread of the process `pid`, which is stopped meanwhile; empty where nothing can tell. */
export function whereItWaits(pid: number): string[] {
  const found = backtraces(pid);
  return found.length > 0 ? found : kernelWaits(pid);
}
