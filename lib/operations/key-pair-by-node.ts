// Key pairs that Node.js generates: making such a key takes less time than reading one, which holds the event loop.
import {
  generateKeyPair as nodeGenerateKeyPair,
  generateKeyPairSync as nodeGenerateKeyPairSync,
  type JsonWebKey,
  type KeyObject,
} from 'node:crypto';
import { isMainThread } from 'node:worker_threads';
import type { OperationOptions } from './operation-options';
import type { ParsedEncoding } from './key-encoding';
import { callOnThreadpool } from './threadpool';

export type AnyKey = KeyObject | string | Buffer | JsonWebKey;

export interface AnyPair {
  publicKey: AnyKey;
  privateKey: AnyKey;
}

/** The parameters of a wanted pair, checked and copied. */
export interface WantedPair {
  type: string;
  namedCurve: string | undefined;
  paramEncoding: 'named' | 'explicit';
  publicEncoding: ParsedEncoding | undefined;
  privateEncoding: ParsedEncoding | undefined;
}

/** `name` is the one in the statistics. */
export type GenerateByNode = (
  name: string,
  wanted: WantedPair,
  options: OperationOptions | undefined,
) => Promise<AnyPair>;

// Before version 22, Node.js aborts the process when its pool has made a key for a worker that is being terminated.
const abortsHere = (): boolean => !isMainThread && Number.parseInt(process.versions.node, 10) < 22;
// Generating these keys takes less time than reading them.
const QUICKEST: ReadonlySet<string> = new Set(['P-256', 'prime256v1', 'ED25519', 'X25519']);

/** The way Node.js makes keys of a curve or type; undefined where it had better not. */
export function generatorOfNode(curve: string, mode: OperationOptions['mode']): GenerateByNode | undefined {
  if (!abortsHere()) return generateOnThreadpool;
  return QUICKEST.has(curve) && mode !== 'offload' ? generateInTurns : undefined;
}

// Nobody but Node.js can make a KeyObject off the event loop.
const generateOnThreadpool: GenerateByNode = (name, wanted, options) => {
  type Generate = (type: string, options: object, callback: (error: Error | null, ...keys: AnyKey[]) => void) => void;
  return callOnThreadpool(name, options, (done) => {
    (nodeGenerateKeyPair as Generate)(wanted.type, optionsForNode(wanted), (error, ...keys) => {
      done(error, () => ({ publicKey: keys[0] as AnyKey, privateKey: keys[1] as AnyKey }));
    });
  });
};

// Makes one pair in each turn of the event loop.
const generateInTurns: GenerateByNode = (name, wanted, options) =>
  callOnThreadpool(name, options, (done) => {
    if (turns.push({ wanted, done }) === 1) setImmediate(takeTurn);
  });

const turns: { wanted: WantedPair; done: (error: Error | null, pair: () => AnyPair) => void }[] = [];

function takeTurn(): void {
  const { wanted, done } = turns.shift() as (typeof turns)[number];
  if (turns.length > 0) setImmediate(takeTurn);
  type Generate = (type: string, options: object) => AnyPair;
  try {
    const pair = (nodeGenerateKeyPairSync as unknown as Generate)(wanted.type, optionsForNode(wanted));
    done(null, () => pair);
  } catch (error) {
    done(error as Error, () => error as never);
  }
}

// A copy: the caller's own options may have changed by now.
function optionsForNode({ namedCurve, paramEncoding, publicEncoding, privateEncoding }: WantedPair): object {
  return { namedCurve, paramEncoding, publicKeyEncoding: publicEncoding, privateKeyEncoding: privateEncoding };
}
