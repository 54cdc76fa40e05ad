'use strict';

// The program that BoringSSL's runner starts for each of its tests: it connects to the runner, and is a server or a client
// there. OPENSSL_ASYNC_SHIM says whose: `node` for node:tls; ours with handshakes on `threads`, on the `loop`, or over
// `streams` that are no sockets.
//
//   shim.js -port NUMBER [FLAG…]
//
// Exits with 89 where a flag is not known, and with 1 and the names of errors on stderr where a connection fails.

const { readFlags } = require('./flags.js');

const LIMIT_MS = 60_000;
const UNIMPLEMENTED = 89;

// An error of OpenSSL has all of its queue as its message: the reason is the fifth part of a line.
function reasonsOf({ reason, code, message }) {
  const queued = [...message.matchAll(/error:[0-9A-F]+:[^:\n]*:[^:\n]*:([^:\n]+)/g)].map(([, each]) => each);
  const told = reason ?? code?.replace(/^ERR_(?:SSL|OSSL(?:_[A-Z0-9]+)?)_/, '') ?? message;
  return [told, ...queued].map((each) => each.toUpperCase().replace(/[^A-Z0-9]+/g, '_'));
}

/** What BoringSSL's runner calls an error: OpenSSL's own reasons, and BoringSSL's names for the same. */
function namesOf(error) {
  const names = require('./errors.json');
  const own = reasonsOf(error);
  const others = Object.keys(names).filter((name) => names[name].some((each) => own.includes(each)));
  return [...new Set([...own, ...others])].map((name) => `:${name}:`);
}

async function main() {
  const args = process.argv.slice(2);
  if (args.includes('-is-handshaker-supported')) {
    process.stdout.write('No\n');
    return;
  }
  const { settings, unknown } = readFlags(args);
  const which = process.env.OPENSSL_ASYNC_SHIM ?? 'node';
  const isThere = settings !== undefined && require('./options.js').canDo(settings, which);
  if (!isThere) {
    process.stderr.write(`not known: ${unknown ?? 'a value'}\n`);
    process.exitCode = UNIMPLEMENTED;
    return;
  }
  setTimeout(() => {
    process.stderr.write('timed out\n');
    process.exit(1);
  }, LIMIT_MS).unref();
  // Where nothing is left to wait for, it has failed.
  process.exitCode = 1;
  const { connectOnce } = require('./connection.js');
  const shared = { sessions: new Map(), latest: undefined, ticketKeys: undefined };
  for (let index = 0; index <= (settings.initial.resumeCount ?? 0); ++index) {
    const isResume = index > 0;
    try {
      await connectOnce({ ...settings[isResume ? 'resume' : 'initial'], isResume, which }, shared);
    } catch (error) {
      process.stderr.write(`${namesOf(error).join('\n')}\nconnection ${index + 1}: ${error.code} ${error.message}\n`);
      return;
    }
  }
  process.exitCode = 0;
}

void main();
