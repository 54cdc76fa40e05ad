// The process of `doctor`'s probes: runs the probes from a number on, and reports each.
import type { ProbeMessage } from './examination';
import { probes, runProbe } from './probes';

async function main([first, ...modules]: string[]): Promise<void> {
  const say = (message: ProbeMessage): void => {
    process.stdout.write(`${JSON.stringify(message)}\n`);
  };
  for (const probe of probes(modules).slice(Number(first))) {
    say({ began: probe.name });
    say({ name: probe.name, ...(await runProbe(probe)) });
  }
}

void main(process.argv.slice(2));
