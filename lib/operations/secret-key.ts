// Secret keys as operations take them.
import { KeyObject, type webcrypto } from 'node:crypto';
import { types } from 'node:util';
import { invalidArgType, nodeError } from '../base/errors';
import { toInput, type BinaryLike } from '../base/bytes';
import type { Spec } from './call';
import type { OperationOptions } from './operation-options';
import { specFor, SpecTable, type SpecRequest } from './spec';

/** A secret key: bytes, a string that stands for its UTF-8, or an object of type `'secret'` that holds one. */
export type SecretKeyLike = BinaryLike | KeyObject | webcrypto.CryptoKey;

/** A key together with the specs of operations with it. */
export interface SecretKey {
  /** The bytes that each call passes; undefined for the key of an object, which its specs hold. */
  readonly input: Uint8Array | undefined;
  /** As {@link specFor}, of calls with this key. */
  spec(name: string, options: OperationOptions | undefined, describe: () => Description): Spec;
}

type Description = Omit<SpecRequest, 'scope' | 'fallback' | 'bytes'>;

/** The keys of one family of operations, `shared` by all that are bytes. */
export class SecretKeys {
  readonly #shared = new SpecTable();
  readonly #byObject = new WeakMap<object, SecretKey>();

  /** Throws the error of `node:crypto` for a value that is no secret key. */
  of(key: unknown): SecretKey {
    const object = secretKeyObject(key);
    if (object === undefined) return this.#ofBytes(toInput(key, 'key'));
    let known = this.#byObject.get(key as object);
    if (known === undefined) {
      known = ofObject(object);
      this.#byObject.set(key as object, known);
    }
    return known;
  }

  #ofBytes(input: Uint8Array): SecretKey {
    return { input, spec: (name, options, describe) => specFor(this.#shared, name, options, describe) };
  }
}

function ofObject(keyObject: KeyObject): SecretKey {
  const table = new SpecTable();
  return {
    input: undefined,
    spec: (name, options, describe) => {
      return specFor(table, name, options, () => ({ ...describe(), bytes: () => [keyObject.export()] }));
    },
  };
}

/** The bytes of a key that is used once. Call `wipe` afterwards: it wipes bytes that are not the caller's own. */
export function secretBytes(key: unknown, name: string): { bytes: Uint8Array; wipe: () => void } {
  const object = secretKeyObject(key);
  if (object === undefined) return { bytes: toInput(key, name), wipe: nothing };
  const bytes = object.export();
  return { bytes, wipe: () => bytes.fill(0) };
}

const nothing = (): void => undefined;

/** Undefined for a value that is no object with a key. */
function secretKeyObject(key: unknown): KeyObject | undefined {
  if (key === undefined || key === null) throw invalidArgType('key', 'a secret key', key);
  const object = types.isKeyObject(key) ? key : types.isCryptoKey(key) ? KeyObject.from(key) : undefined;
  if (object !== undefined && object.type !== 'secret') {
    throw nodeError(
      'ERR_CRYPTO_INVALID_KEY_OBJECT_TYPE',
      `Invalid key object type ${object.type}, expected secret.`,
      TypeError,
    );
  }
  return object;
}
