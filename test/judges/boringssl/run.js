'use strict';

// BoringSSL's runner judges node:tls and this package, each as a server and a client, by the same shim. This package passes
// each test that node:tls passes, but for those in outcomes.json. It has patterns, with the reason for each, of tests that
// only node:tls passes (`worse`), only this package (`better`), and neither.
//
//   node test/judges/boringssl/run.js [--shim=threads|loop|streams] [--workers=N] [--node=FILE] [PATTERN…]
//
// PATTERN selects tests, for example 'Basic-Server*'. --node takes the outcomes of node:tls from a file, or writes them to
// it. OPENSSL_ASYNC_BORINGSSL is the folder that obtain.js made.

const { spawn } = require('node:child_process');
const { once } = require('node:events');
const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');
const { parseArgs } = require('node:util');
const outcomes = require('./outcomes.json');

const SHIM = path.join(__dirname, 'shim.js');
// The groups of `-curves` in options.js. Other protocols would only start the shim for nothing.
const CONFIGURATION = {
  AllCurves: [21, 23, 24, 25, 29],
  DisabledTests: { '*-DTLS*': 'not TLS', 'DTLS*': 'not TLS', '*-QUIC*': 'not TLS', 'QUIC*': 'not TLS' },
};

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    shim: { type: 'string', default: 'threads' },
    workers: { type: 'string', default: String(os.availableParallelism()) },
    node: { type: 'string' },
  },
});

// What the runner says of its tests, one after the other.
function readReport(said) {
  const parts = said.split(/^(?=(?:PASSED|FAILED|UNIMPLEMENTED) \()/m);
  const heads = parts.map((part) => [/^(\w+) \((.*)\)\n([^]*)$/.exec(part), part]).filter(([head]) => head !== null);
  return new Map(heads.map(([[, outcome, name, text]]) => [name, { outcome, text: text.trim() }]));
}

/** Runs the runner over one of the shims. */
async function judge(folder, which) {
  const work = fs.mkdtempSync(path.join(os.tmpdir(), 'openssl-async-boringssl-'));
  const [program, configuration] = ['shim', 'configuration.json'].map((name) => path.join(work, name));
  fs.writeFileSync(program, `#!/bin/sh\nexec '${process.execPath}' '${SHIM}' "$@"\n`, { mode: 0o755 });
  fs.writeFileSync(configuration, JSON.stringify(CONFIGURATION));
  const selected = positionals.length === 0 ? [] : ['-test', positionals.join(';')];
  const args = ['-shim-path', program, '-shim-config', configuration, '-num-workers', values.workers];
  const env = { ...process.env, OPENSSL_ASYNC_SHIM: which, NODE_NO_WARNINGS: '1' };
  const runner = spawn(path.join(folder, 'runner'), [...args, '-pipe', '-allow-unimplemented', ...selected], {
    cwd: folder,
    env,
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let said = '';
  runner.stdout.setEncoding('utf8').on('data', (text) => (said += text));
  await once(runner, 'close');
  fs.rmSync(work, { recursive: true });
  return readReport(said);
}

async function judgeNode(folder) {
  const { node: file } = values;
  if (file !== undefined && fs.existsSync(file)) return new Map(JSON.parse(fs.readFileSync(file, 'utf8')));
  const report = await judge(folder, 'node');
  if (file !== undefined) fs.writeFileSync(file, JSON.stringify([...report], null, 2));
  return report;
}

const namesWith = (report, outcome) => [...report.keys()].filter((name) => report.get(name).outcome === outcome).sort();
const count = (report) =>
  `${namesWith(report, 'PASSED').length} of ${report.size - namesWith(report, 'UNIMPLEMENTED').length}`;

function withoutReason(names, reasons) {
  const patterns = Object.keys(reasons).map((pattern) => new RegExp(`^${pattern.replaceAll('*', '.*')}$`));
  return names.filter((name) => !patterns.some((pattern) => pattern.test(name)));
}

async function main() {
  const folder = process.env.OPENSSL_ASYNC_BORINGSSL ?? '';
  if (!fs.existsSync(path.join(folder, 'runner'))) {
    console.log('skipped: OPENSSL_ASYNC_BORINGSSL is no folder that obtain.js made\n# pass 0\n# fail 0\n# skipped 1');
    return;
  }
  const nodes = await judgeNode(folder);
  const ours = await judge(folder, values.shim);
  const passed = namesWith(ours, 'PASSED');
  const failed = namesWith(ours, 'FAILED');
  const isPassed = (name) => nodes.get(name)?.outcome === 'PASSED';
  const worse = failed.filter(isPassed);
  const better = passed.filter((name) => nodes.has(name) && !isPassed(name));
  const neither = failed.filter((name) => !isPassed(name));
  const broken = withoutReason(worse, outcomes.worse);
  for (const name of broken) console.log(`not ok - ${name}\n${ours.get(name).text}`);
  const strangers = [...withoutReason(better, outcomes.better), ...withoutReason(neither, outcomes.neither)];
  for (const name of strangers) console.log(`not in outcomes.json: ${name}\n${ours.get(name).text}`);
  console.log(
    `node:tls passes ${count(nodes)} tests, ${values.shim} ${count(ours)}; the others need what neither has.`,
  );
  console.log(`${worse.length} only node:tls passes, ${better.length} only this package, ${neither.length} neither.`);
  console.log(`# pass ${passed.length}\n# fail ${broken.length}\n# skipped ${namesWith(ours, 'UNIMPLEMENTED').length}`);
  if (broken.length > 0) process.exitCode = 1;
}

main().catch((error) => {
  console.error(error);
  process.exitCode = 1;
});
