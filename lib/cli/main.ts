#!/usr/bin/env node
// The command-line tool: `npx openssl-async`.
import { readFileSync } from 'node:fs';
import * as path from 'node:path';
import { Command, CommanderError, InvalidArgumentError } from 'commander';
import { PACKAGE_ROOT } from '../base/package';
import { ALGORITHMS, ALIASES, DEFAULT_ALGORITHMS } from './algorithms';
import { build, type BuildOptions } from './build';
import { doctor, type DoctorOptions } from './doctor';
import { messageOf } from './finding';
import { runExample, type RunExampleOptions } from './run-example';
import { DEFAULT_PLOT, speed, type SpeedOptions } from './speed';
import { outputWidth, wrap } from './terminal';

const NAME = 'openssl-async';
const FAILURE = 1;
const BAD_USAGE = 2;

function createProgram(): Command {
  const program = new Command(NAME)
    .description("OpenSSL's asynchronous jobs in this Node.js: what works, how fast, and why not")
    .version(packageVersion(), '-V, --version', 'print the version')
    .helpOption('-h, --help', 'print help')
    .exitOverride()
    .configureHelp({ minWidthToWrap: 10 })
    .configureOutput({ getOutHelpWidth: outputWidth, getErrHelpWidth: outputWidth });

  program
    .command('doctor')
    .description('look at everything that jobs need, run some, and say what to do about what is wrong')
    .option('-m, --module <path...>', 'also say what the OpenSSL functions of these modules bind to')
    .option('--json', 'print one JSON document')
    .action(async (options: DoctorOptions) => {
      process.exitCode = await doctor(options);
    });

  program
    .command('speed')
    .description('measure operations per second: on the event loop, on the thread pool, and with openssl-async')
    .argument('[algorithms...]', 'what to measure, as openssl speed calls it', collectAlgorithm)
    .option('-n, --async-jobs <count>', 'calls in flight', integer(1, 65_536), 64)
    .option('-s, --seconds <seconds>', 'how long each is measured, in all rounds', seconds, 3)
    .option('-r, --rounds <count>', 'in so many rounds, in which the sides take turns', integer(1, 1000), 5)
    .option('-b, --bytes <count>', 'size of the messages of digests and ciphers', integer(1, 2 ** 30), 16_384)
    .option('--provider <name>', 'whose implementation openssl-async uses, for example accelerator')
    .option('--provider-path <file>', 'the module of that provider')
    .option('--engine <id>', 'an engine to load, by its id or path')
    .option('--properties <query>', 'a query that chooses among implementations, see property(7)')
    .option('--plot [file]', `write a page of charts, ${DEFAULT_PLOT} unless said otherwise`, htmlFile)
    .option('--json', 'print one JSON document')
    .addHelpText('after', describeAlgorithms)
    .action(async (algorithms: string[], options: SpeedOptions, command: Command) => {
      if (options.providerPath !== undefined && options.provider === undefined) {
        command.error("error: option '--provider-path <file>' needs option '--provider <name>'");
      }
      process.exitCode = await speed(algorithms, options);
    });

  program
    .command('run-example')
    .description('run the example program of ASYNC_start_job(3)')
    .option('--json', 'print one JSON document')
    .action(async (options: RunExampleOptions) => {
      process.exitCode = await runExample(options);
    });

  program
    .command('build')
    .description('compile the addon, where the package has no binary for the platform')
    .option('--openssl <which>', "whose headers: runtime (Node's own), system, or a folder", 'runtime')
    .action((options: BuildOptions) => {
      process.exitCode = build(options);
    });

  for (const command of [program, ...program.commands]) command.showHelpAfterError(usageOf(command));
  return program;
}

// --- Values of options

function integer(min: number, max: number): (text: string) => number {
  return (text) => {
    const value = Number(text);
    if (text.trim() !== '' && Number.isInteger(value) && value >= min && value <= max) return value;
    throw new InvalidArgumentError(`It takes an integer from ${min} to ${max}.`);
  };
}

const MOST_SECONDS = 3600;

function seconds(text: string): number {
  const value = Number(text);
  if (value > 0 && value <= MOST_SECONDS) return value;
  throw new InvalidArgumentError(`It takes a number above 0, and at most ${MOST_SECONDS}.`);
}

// Else `--plot rsa2048` would write a file of this name, and measure something else.
function htmlFile(text: string): string {
  if (/\.html?$/i.test(text)) return text;
  throw new InvalidArgumentError('It takes the name of an .html file.');
}

function collectAlgorithm(text: string, previous: string[] | undefined): string[] {
  const name = text.toLowerCase();
  const algorithm = ALIASES.get(name) ?? name;
  if (!ALGORITHMS.has(algorithm)) throw new InvalidArgumentError(`Known are: ${algorithmNames()}.`);
  return [...(previous ?? []), algorithm];
}

function describeAlgorithms(): string {
  const texts = [`Algorithms: ${algorithmNames()}.`, `Unless some are named: ${DEFAULT_ALGORITHMS.join(', ')}.`];
  return ['', ...texts.flatMap((text) => wrap(text, outputWidth()))].join('\n');
}

function algorithmNames(): string {
  return [...ALGORITHMS.keys()].join(', ');
}

function usageOf(command: Command): string {
  return `Usage: ${command.parent === null ? '' : `${NAME} `}${command.name()} ${command.usage()}`;
}

function packageVersion(): string {
  const file = path.join(PACKAGE_ROOT, 'package.json');
  return (JSON.parse(readFileSync(file, 'utf8')) as { version: string }).version;
}

async function main(): Promise<void> {
  // The reader of the output may have read enough.
  process.stdout.on('error', ({ code }: NodeJS.ErrnoException) => {
    process.exit(code === 'EPIPE' ? 0 : FAILURE);
  });
  try {
    await createProgram().parseAsync();
  } catch (error) {
    if (error instanceof CommanderError) {
      // Commander has printed the message.
      process.exitCode = error.exitCode === 0 ? 0 : BAD_USAGE;
    } else {
      console.error(`${NAME}: ${messageOf(error)}`);
      process.exitCode = FAILURE;
    }
  }
}

void main();
