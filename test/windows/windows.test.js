'use strict';

// The addon for Windows, cross-compiled, under official Node.js binaries for Windows, which wine runs. A machine that
// lacks the compiler or wine skips the tests and says so. Node 24 and later do not start under wine 8: they reserve more
// address space than it gives.

const assert = require('node:assert');
const { createHash } = require('node:crypto');
const fs = require('node:fs');
const path = require('node:path');
const { after, before, describe, test } = require('node:test');
const ts = require('typescript');
const { buildForWindows, whyNot } = require('../../scripts/build-windows.js');
const { LACKED, PROGRAM, writeLackingNode } = require('../nodes/lacking-node.js');
const { obtainNode } = require('../nodes/obtain-node.js');
const { writeIdentity } = require('../support/identity-file.js');
const { MAN_PAGE_LINES } = require('../support/man-page.js');
const { Wine, windowsPath } = require('./wine.js');

const ROOT = path.join(__dirname, '..', '..');
const PROGRAMS = path.join(__dirname, 'programs');
const SCENARIOS = path.join(ROOT, 'test', 'lifecycle', 'scenarios');
const SCRATCH = path.join(ROOT, 'build-windows', 'scratch');

const wine = new Wine();
const cannot = whyNot() ?? wine.reason;
let files;

function hashOf(file) {
  return createHash('sha256').update(fs.readFileSync(file)).digest('hex');
}

/** The package's example, below the package, whose name it imports. */
function compileManPage() {
  const source = fs.readFileSync(path.join(ROOT, 'examples', 'man-page.ts'), 'utf8');
  const options = { module: ts.ModuleKind.CommonJS, target: ts.ScriptTarget.ES2022 };
  const file = path.join(SCRATCH, 'man-page.js');
  fs.writeFileSync(file, ts.transpileModule(source, { compilerOptions: options }).outputText);
  return file;
}

/** A folder with the reference modules. */
function folderOfModules(name) {
  const folder = path.join(SCRATCH, name);
  fs.mkdirSync(folder);
  for (const module of ['reference_engine.dll', 'reference_provider.dll']) {
    fs.copyFileSync(files[module], path.join(folder, module));
  }
  return folder;
}

before(async () => {
  if (cannot !== undefined) return;
  files = await buildForWindows({ tests: true });
  fs.rmSync(SCRATCH, { recursive: true, force: true });
  fs.mkdirSync(SCRATCH);
});

after(() => wine.close());

test('two links of the same objects give the same bytes, and no path of this machine is in them', async (context) => {
  if (cannot !== undefined) {
    context.skip(cannot);
    return;
  }
  const first = hashOf(files['openssl_async.node']);
  const { 'openssl_async.node': again } = await buildForWindows();
  assert.strictEqual(hashOf(again), first);
  const text = fs.readFileSync(again, 'latin1');
  assert.ok(!text.includes(ROOT));
  context.diagnostic(`sha256 ${first}, ${fs.statSync(again).size} bytes`);
});

for (const major of [20, 22]) {
  describe(`Node ${major} for Windows`, () => {
    let binary;
    let reason = cannot;

    before(() => {
      if (cannot === undefined) ({ binary, reason } = obtainNode(major, { platform: 'win32', arch: 'x64' }));
    });

    function run(program, args = [], { node = binary, ...options } = {}) {
      const env = {
        OPENSSL_ASYNC_ADDON: windowsPath(files['openssl_async.node']),
        OPENSSL_ASYNC_TEST_DEVICE: windowsPath(files['test_device.node']),
      };
      const result = wine.run([node, program, ...args], { cwd: ROOT, ...options, env: { ...env, ...options.env } });
      assert.strictEqual(result.status, options.status ?? 0, `${result.stdout}${result.stderr}`);
      return result;
    }

    /** Skips and says so where something lacks. */
    function testUnderWine(title, body) {
      test(title, (context) => {
        if (reason !== undefined) context.skip(reason);
        else return body(context);
      });
    }

    const lastLine = ({ stdout }) => JSON.parse(stdout.trim().split('\n').at(-1));

    testUnderWine('runs the smoke program, its workers too', (context) => {
      const { node, openssl } = lastLine(run(path.join(ROOT, 'test', 'native', 'smoke', 'smoke.js')));
      assert.match(node, new RegExp(`^v${major}\\.`));
      context.diagnostic(`${node}, ${openssl}`);
    });

    testUnderWine("prints the man page's eight lines", () => {
      const { stdout, stderr } = run(compileManPage());
      assert.deepStrictEqual(stdout.trim().split('\n'), MAN_PAGE_LINES);
      assert.strictEqual(stderr, '');
    });

    testUnderWine('has a thousand jobs on fibers, and two thousand signatures by the accelerator, in flight', () => {
      const { jobs, ecdsa, rsa, ed25519, paused } = lastLine(run(path.join(PROGRAMS, 'thousand-jobs.js')));
      assert.deepStrictEqual({ jobs, ecdsa, rsa, ed25519 }, { jobs: 1000, ecdsa: 1000, rsa: 50, ed25519: 1000 });
      assert.strictEqual(paused, 2050);
    });

    testUnderWine('runs good and bad calls of every operation', () => {
      assert.deepStrictEqual(lastLine(run(path.join(SCENARIOS, 'operation-corpus.js'), ['1'])), { calls: true });
    });

    testUnderWine('runs under another name', () => {
      const node = path.join(SCRATCH, `renamed-${major}.exe`);
      fs.copyFileSync(binary, node);
      run(path.join(ROOT, 'test', 'native', 'smoke', 'smoke.js'), ['--jobs=20'], { node });
    });

    testUnderWine('says so where a function of OpenSSL is missing', (context) => {
      const node = path.join(SCRATCH, `lacking-${major}.exe`);
      writeLackingNode(binary, node);
      const { code, reason: sentence } = lastLine(run('-e', [PROGRAM], { node }));
      assert.strictEqual(code, 'ERR_ASYNC_UNSUPPORTED');
      assert.ok(sentence.includes(LACKED), sentence);
      context.diagnostic(sentence);
    });

    for (const name of ['ascii', 'größe']) {
      testUnderWine(`loads the reference engine and provider from a folder called ${name}`, () => {
        const folder = folderOfModules(`${name}-${major}`);
        const { paused } = lastLine(run(path.join(PROGRAMS, 'reference.js'), [windowsPath(folder)]));
        assert.strictEqual(paused, 4 * 20);
      });
    }

    testUnderWine("has fibers of the program's size, and tells of handles and paths that are of no use", () => {
      const folder = folderOfModules(`文-${major}`);
      assert.deepStrictEqual(lastLine(run(path.join(PROGRAMS, 'differences.js'), [windowsPath(folder)])), {
        before: { sizeBytes: 0, mode: 'none' },
        isReserve: true,
        sizeBytes: 8_388_608,
        tooLarge: 'ERR_OUT_OF_RANGE',
        deep: 1,
        closedHandle: 'ERR_ASYNC_INVALID_FD',
        unwaitableHandle: 'ERR_ASYNC_FD_NOT_POLLABLE',
        refused: { code: 'ERR_ASYNC_MODULE_INCOMPATIBLE', namesCodePage: true },
      });
    });

    testUnderWine(
      'serves HTTPS over the sockets of node:net, with a key that is here and one that is elsewhere',
      () => {
        const program = path.join(ROOT, 'test', 'support', 'https-program.js');
        const { stdout, stderr } = run(program, [windowsPath(writeIdentity(SCRATCH)), '1', '0']);
        assert.strictEqual(stderr, '');
        const served = { own: 'loop 127.0.0.1', remote: 'loop 127.0.0.1', signed: 5 };
        assert.deepStrictEqual(
          stdout
            .trim()
            .split('\n')
            .map((line) => JSON.parse(line)),
          [
            { threads: 1, ...served },
            { threads: 0, ...served },
          ],
        );
      },
    );

    testUnderWine('speaks HTTP/2 over the streams of Node.js, with all that TLS has', () => {
      const agreed = ['TLSv1.3', 'TLS_AES_256_GCM_SHA384'];
      const session = [true, 'h2'];
      const identity = windowsPath(writeIdentity(SCRATCH));
      assert.deepStrictEqual(lastLine(run(path.join(PROGRAMS, 'http2.js'), [identity])), {
        server: { session, socket: [true, 'h2', 'localhost', false], agreed },
        client: { session, socket: [true, 'h2', 'localhost', true], agreed },
        isWhole: true,
        stranger: ['DEPTH_ZERO_SELF_SIGNED_CERT'],
      });
    });

    testUnderWine('drives jobs to their end when their environment ends', () => {
      const { stdout, stderr } = run(path.join(SCENARIOS, 'drain-completes.js'), ['released']);
      assert.strictEqual(stderr, '');
      const { code, inFlight, leakedFds } = JSON.parse(stdout);
      assert.deepStrictEqual({ code, inFlight, leakedFds }, { code: 0, inFlight: 0, leakedFds: 0 });
    });

    testUnderWine('ends at once by process.exit(), with jobs outstanding', () => {
      const start = performance.now();
      const { stderr } = run(path.join(PROGRAMS, 'exit-with-jobs.js'), [], { status: 3 });
      assert.strictEqual(stderr, '');
      // The program gives its jobs a minute.
      assert.ok(performance.now() - start < 45_000);
    });
  });
}
