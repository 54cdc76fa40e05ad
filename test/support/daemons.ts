// Servers and proxies of other projects, each in a folder of its own: it is gone when the program has ended.
import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import * as fs from 'node:fs';
import * as net from 'node:net';
import * as os from 'node:os';
import * as path from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { foreignEnvironment } from './foreign';

/** A port of loopback that nobody listens on. */
export async function freePort(): Promise<number> {
  const server = net.createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as net.AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}

const LISTENING = '0A';

// Without a connection: proxies would make one to what is behind them.
function isListening(port: number): boolean {
  const local = `:${port.toString(16).toUpperCase().padStart(4, '0')}`;
  const lines = ['/proc/net/tcp', '/proc/net/tcp6'].flatMap((file) => fs.readFileSync(file, 'utf8').split('\n'));
  return lines.some((line) => {
    const [, address = '', , state] = line.trim().split(/\s+/);
    return address.endsWith(local) && state === LISTENING;
  });
}

interface Credentials {
  uid?: number;
  gid?: number;
}

/** What a program is started with. */
export interface DaemonOptions {
  /** Files to be written, with what names the folder and the ports in them. */
  files?: Record<string, string>;
  /** The ports that it listens on. */
  ports: number[];
  /** Its arguments, given its folder. */
  args(folder: string): string[];
  /** A user to run as, where this process is root. */
  user?: string;
  /** Is called before the program starts, as that user. */
  prepare?(folder: string, credentials: Credentials): void;
}

export class Daemon {
  readonly folder: string;
  readonly #child: ChildProcess;
  readonly #closed: Promise<unknown>;
  #said = '';

  private constructor(program: string, { files = {}, args, user, prepare }: DaemonOptions) {
    this.folder = fs.mkdtempSync(path.join(os.tmpdir(), 'openssl-async-daemon-'));
    for (const [name, text] of Object.entries(files)) {
      fs.writeFileSync(path.join(this.folder, name), text.replaceAll('$FOLDER', this.folder), { mode: 0o600 });
    }
    const credentials = user !== undefined && process.getuid?.() === 0 ? ownedBy(user, this.folder) : {};
    prepare?.(this.folder, credentials);
    this.#child = spawn(program, args(this.folder), {
      cwd: this.folder,
      env: foreignEnvironment(),
      stdio: ['ignore', 'pipe', 'pipe'],
      ...credentials,
    });
    this.#closed = once(this.#child, 'close');
    for (const stream of [this.#child.stdout, this.#child.stderr]) {
      stream?.setEncoding('utf8').on('data', (text: string) => (this.#said += text));
    }
  }

  /** Starts a program, and waits until it listens. */
  static async start(program: string, options: DaemonOptions): Promise<Daemon> {
    const daemon = new Daemon(program, options);
    while (!options.ports.every(isListening)) {
      const { exitCode, signalCode } = daemon.#child;
      if (exitCode !== null || signalCode !== null) {
        await daemon.stop();
        throw new Error(`${program} has ended: ${daemon.#said}`);
      }
      await setTimeout(10);
    }
    return daemon;
  }

  async stop(): Promise<void> {
    this.#child.kill();
    await this.#closed;
    fs.rmSync(this.folder, { recursive: true });
  }
}

// Some programs do not run as root.
function ownedBy(user: string, folder: string): Credentials {
  const [uid = 0, gid = 0] = ['-u', '-g'].map((which) => Number(spawnSync('id', [which, user]).stdout.toString()));
  for (const file of ['.', ...fs.readdirSync(folder)]) fs.chownSync(path.join(folder, file), uid, gid);
  return { uid, gid };
}
