// Names of digests that OpenSSL has forgotten, and some versions of Node.js have not.
import { createHash as createHashOfNode } from 'node:crypto';

let knowsDss1: boolean | undefined;

/** The name by which OpenSSL knows a digest of `node:crypto`. */
export function digestName(name: string): string {
  if (name !== 'DSS1' && name !== 'dss1') return name;
  knowsDss1 ??= isKnown(name);
  return knowsDss1 ? 'sha1' : name;
}

function isKnown(name: string): boolean {
  try {
    createHashOfNode(name);
    return true;
  } catch {
    return false;
  }
}
