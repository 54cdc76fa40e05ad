// Programs that run beside a test, and exchange messages with it.
import { spawn, type ChildProcess } from 'node:child_process';
import * as path from 'node:path';

export interface Ended {
  code: number | null;
  signal: NodeJS.Signals | null;
  stderr: string;
}

const SCENARIOS = path.join(__dirname, '..', 'lifecycle', 'scenarios');

export class TalkingChild<Message> {
  readonly #child: ChildProcess;
  readonly #messages: Message[] = [];
  readonly #waiting: ((message: Message | Error) => void)[] = [];
  /** How the program has ended. */
  readonly ended: Promise<Ended>;

  /** Starts test/lifecycle/scenarios/`name`.js, which may have so many `descriptors`. */
  constructor(name: string, args: readonly string[] = [], descriptors?: number) {
    const command = [process.execPath, path.join(SCENARIOS, `${name}.js`), ...args];
    const limited = descriptors === undefined ? [] : ['sh', '-c', `ulimit -n ${descriptors} && exec "$@"`, 'sh'];
    const [program = '', ...rest] = [...limited, ...command];
    this.#child = spawn(program, rest, {
      env: { ...process.env, NODE_OPTIONS: '' },
      stdio: ['ignore', 'inherit', 'pipe', 'ipc'],
    });
    this.#child.on('message', (message) => {
      const waiting = this.#waiting.shift();
      if (waiting === undefined) this.#messages.push(message as Message);
      else waiting(message as Message);
    });
    let stderr = '';
    this.#child.stderr?.setEncoding('utf8').on('data', (text: string) => (stderr += text));
    this.ended = new Promise((resolve) => {
      this.#child.on('close', (code, signal) => {
        resolve({ code, signal, stderr });
        for (const waiting of this.#waiting) waiting(new Error(`${name} ended with ${signal ?? code}: ${stderr}`));
      });
    });
  }

  send(message: unknown): void {
    this.#child.send(message as object);
  }

  /** The next message of the program. */
  async next(): Promise<Message> {
    const message =
      this.#messages.shift() ?? (await new Promise<Message | Error>((resolve) => this.#waiting.push(resolve)));
    if (message instanceof Error) throw message;
    return message;
  }

  /** Ends the program. */
  kill(): Promise<Ended> {
    this.#child.kill('SIGKILL');
    return this.ended;
  }
}

/** How many descriptors a process may have. */
export async function descriptorLimit(): Promise<number> {
  const env = { ...process.env, LD_PRELOAD: '' }; // a sanitizer is for Node.js alone
  const child = spawn('sh', ['-c', 'ulimit -n'], { env, stdio: ['ignore', 'pipe', 'inherit'] });
  let text = '';
  for await (const chunk of child.stdout) text += String(chunk);
  return text.trim() === 'unlimited' ? Infinity : Number(text);
}
