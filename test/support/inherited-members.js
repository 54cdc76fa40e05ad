'use strict';

// Members of node:tls's and node:net's sockets that a socket of ours inherits: each looks for a handle that ours does not
// have, unless somebody has read it. A new major of Node.js may add one. The socket of a session of HTTP/2 has a handle
// of node:net's, and none of node:tls's.
//
//   node inherited-members.js     prints, as JSON, those that nobody has read

const net = require('node:net');
const path = require('node:path');
const tls = require('node:tls');

// Why each behaves without a handle.
const REVIEWED = {
  // Node.js calls them on sockets that it has made itself.
  _wrapHandle: 'internal',
  _init: 'internal',
  _start: 'internal',
  _finishInit: 'internal',
  _handleTimeout: 'internal',
  _releaseControl: 'internal',
  _writeGeneric: 'internal: calls of _write() before the connection is there',
  '@@kReinitializeHandle': 'internal: of sockets that connect',
  '@@kAfterAsyncWrite': 'internal: hears of a handle',
  '@@kUpdateTimer': 'internal: gives _unrefTimer, which is ours',
  '@@messaging_transfer_symbol': 'for objects that Node.js has marked; sockets of ours are not',
  '@@messaging_transfer_list_symbol': 'as messaging_transfer_symbol',
  '@@messaging_deserialize_symbol': 'as messaging_transfer_symbol',
  // They do something sensible.
  _handle: 'undefined: there is none',
  _tlsError: 'emits, and gives the error or null',
  _emitTLSError: 'destroys the socket once _tlsError gives the error',
  _onTimeout: "emits 'timeout'",
  _connecting: 'gives connecting, which is ours',
  readyState: 'looks at connecting, readable and writable',
  _reset: 'destroys the socket',
  _getpeername: 'an empty object without a handle',
  _getsockname: 'an empty object without a handle',
  setTypeOfService: 'without a handle the value is kept for one, and nothing else happens',
  getTypeOfService: 'gives the value that was kept, or 0',
};

const nameOf = (key) => (typeof key === 'symbol' ? `@@${key.description}` : key);

/** The names of inherited members that are not reviewed, of a class; for that of openssl-async/tls, of the module. */
function unreviewedMembers({ TLSSocket, bases = [tls.TLSSocket, net.Socket] }) {
  const own = new Set();
  for (let each = TLSSocket.prototype; each !== tls.TLSSocket.prototype; each = Object.getPrototypeOf(each)) {
    for (const key of Reflect.ownKeys(each)) own.add(key);
  }
  const inherited = bases.flatMap(({ prototype }) => Reflect.ownKeys(prototype));
  return [...new Set(inherited)].filter((key) => !own.has(key) && !(nameOf(key) in REVIEWED)).map(nameOf);
}

module.exports = { unreviewedMembers };

if (require.main === module) {
  const sockets = require(path.join(__dirname, '..', '..', 'dist', 'tls.js'));
  console.log(JSON.stringify({ node: process.version, unreviewed: unreviewedMembers(sockets) }));
}
