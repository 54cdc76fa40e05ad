'use strict';

// node --require shim.js TEST: the test gets this package's modules where it asks for node:tls and node:https.

const Module = require('node:module');
const path = require('node:path');

const dist = path.join(__dirname, '..', '..', 'dist');
const OURS = { tls: path.join(dist, 'tls.js'), https: path.join(dist, 'https.js') };
const suite = path.dirname(path.dirname(path.resolve(process.argv[1] ?? '.')));
const made = new Map();

// A test may change a module's properties, as it may those of Node.js.
function oursFor(name) {
  if (!made.has(name)) made.set(name, Object.assign({ ...load(name) }, require(OURS[name])));
  return made.get(name);
}

const load = Module.createRequire(__filename);
const nodes = Module._load;
Module._load = function (request, parent, ...rest) {
  const name = request.replace(/^node:/, '');
  const asks = Object.hasOwn(OURS, name) && parent?.filename?.startsWith(suite + path.sep) === true;
  return asks ? oursFor(name) : nodes.call(this, request, parent, ...rest);
};
