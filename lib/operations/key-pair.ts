// New key pairs.
import { createPublicKey as nodePublicKey, type KeyObject } from 'node:crypto';
import { invalidArgType, invalidArgValue, nodeError } from '../base/errors';
import { readPrivateKey, readPublicKey, type JsonWebKey, type KeyExportOptions } from '../keys/key';
import { Family, keyGenerationNames, keyGenerationNumbers } from '../native/contract/tables';
import { isolateErrors } from '../native/error-queue';
import { readOptions, validateInteger, validateString } from '../base/validators';
import { bytesOf } from '../base/bytes';
import { attempt, call, type CallResult, type Spec } from './call';
import { readOperationOptions, type OperationOptions } from './operation-options';
import {
  parsePrivateKeyEncoding,
  parsePublicKeyEncoding,
  type ParsedEncoding,
  type PrivateKeyEncoding,
  type PublicKeyEncoding,
} from './key-encoding';
import { digestName } from './digest-names';
import { generatorOfNode, type AnyKey, type AnyPair } from './key-pair-by-node';
import { choosesImplementation, createSpecIn, plannedSpec, SpecTable, type SpecPlan } from './spec';

/** Types of keys that {@link generateKeyPair} makes. */
export type KeyPairType =
  | 'rsa'
  | 'rsa-pss'
  | 'dsa'
  | 'ec'
  | 'ed25519'
  | 'ed448'
  | 'x25519'
  | 'x448'
  | 'dh'
  | `ml-dsa-${44 | 65 | 87}`
  | `ml-kem-${512 | 768 | 1024}`
  | `slh-dsa-${'sha2' | 'shake'}-${128 | 192 | 256}${'f' | 's'}`;

/** The parameters of a new pair, as of `crypto.generateKeyPair()`. Each type reads its own. */
export interface KeyPairOptions {
  /** RSA, RSA-PSS, DSA: bits of the modulus, which these types require. */
  modulusLength?: number;
  /** RSA, RSA-PSS: odd, at most 2³² − 1. @defaultValue 65 537 */
  publicExponent?: number;
  /** RSA-PSS: the digest that the key is for. @defaultValue any */
  hashAlgorithm?: string;
  /** RSA-PSS: the digest of MGF1. @defaultValue `hashAlgorithm` */
  mgf1HashAlgorithm?: string;
  /** RSA-PSS: the least length of the salt, in bytes. @defaultValue the length of the digest */
  saltLength?: number;
  /** DSA: bits of q. @defaultValue OpenSSL's choice */
  divisorLength?: number;
  /** EC: a name that `crypto.getCurves()` lists, or one of NIST's such as `'P-256'`; EC requires it. */
  namedCurve?: string;
  /** EC: whether keys name the curve, or describe it. @defaultValue `'named'` */
  paramEncoding?: 'named' | 'explicit';
  /** DH: a group of RFC 2409 or RFC 3526, `'modp1'` to `'modp18'`; DH requires it, `prime` or `primeLength`. */
  group?: string;
  /** DH: the prime, most significant byte first. */
  prime?: NodeJS.ArrayBufferView;
  /** DH: bits of a prime that is looked for, which may take minutes. */
  primeLength?: number;
  /** DH: the generator, except with `group`. @defaultValue 2 */
  generator?: number;
  /** @defaultValue a `KeyObject` */
  publicKeyEncoding?: PublicKeyEncoding;
  /** @defaultValue a `KeyObject` */
  privateKeyEncoding?: PrivateKeyEncoding;
}

/** A key in the encoding that was asked for. */
export type EncodedKey<Encoding> =
  Encoding extends InFormat<'pem'>
    ? string
    : Encoding extends InFormat<'der'>
      ? Buffer
      : Encoding extends InFormat<'jwk'>
        ? JsonWebKey
        : KeyObject;

/** An encoding of this format. */
export interface InFormat<Format extends string> {
  /** See {@link PublicKeyEncoding} and {@link PrivateKeyEncoding}. */
  format: Format;
}

/** The result of {@link generateKeyPair}. */
export interface KeyPair<Options extends KeyPairOptions = object> {
  /** As `publicKeyEncoding` says. */
  publicKey: EncodedKey<Options['publicKeyEncoding']>;
  /** As `privateKeyEncoding` says. */
  privateKey: EncodedKey<Options['privateKeyEncoding']>;
}

/**
 * Makes a key pair: `crypto.generateKeyPair()` as a promise. `options` are copied, or were read, when it returns. Keys
 * are generated, encoded as SPKI and PKCS#8 and encrypted off the event loop. `KeyObject`s and other encodings are made
 * of them on the event loop, in a tenth to half a millisecond. For these, Node.js generates keys of types that take
 * less time than that, on its own thread pool, unless a `provider`, `properties` or `mode: 'inline'` is asked for.
 *
 * RSA (FIPS 186-5), RSA-PSS (RFC 8017), DSA, EC, Ed25519 and Ed448 (RFC 8032), X25519 and X448 (RFC 7748), DH, and with
 * OpenSSL 3.5 and a Node.js whose `KeyObject` knows them ML-DSA, ML-KEM and SLH-DSA (FIPS 203, 204, 205).
 *
 * @param type - see {@link KeyPairType}
 * @param options - see {@link KeyPairOptions}; RSA, RSA-PSS, DSA, EC and DH require some
 * @param operationOptions - the options of every operation; a `provider` has to export the keys that it generates,
 * which the accelerator does not
 *
 * @throws Everything as a rejection: `ERR_INVALID_ARG_VALUE` for a type that this Node.js or its OpenSSL does not have,
 * `ERR_INVALID_ARG_TYPE`, `ERR_OUT_OF_RANGE`, `ERR_MISSING_OPTION`, `ERR_INCOMPATIBLE_OPTION_PAIR`,
 * `ERR_CRYPTO_INVALID_CURVE`, `ERR_CRYPTO_INVALID_DIGEST`, `ERR_CRYPTO_UNKNOWN_DH_GROUP`, `ERR_CRYPTO_UNKNOWN_CIPHER`,
 * `ERR_CRYPTO_INCOMPATIBLE_KEY_OPTIONS`, `ERR_CRYPTO_JWK_UNSUPPORTED_KEY_TYPE`, `ERR_CRYPTO_JWK_UNSUPPORTED_CURVE`,
 * `ERR_OSSL_…` for parameters that OpenSSL refuses (where `node:crypto` gives no code), `ERR_CRYPTO_OPERATION_FAILED`
 * for keys that cannot be exported, `AbortError`, `ERR_ASYNC_TIMEOUT`, `ERR_ASYNC_QUEUE_FULL`, `ERR_ASYNC_UNSUPPORTED`
 *
 * @example
 * ```ts
 * const { publicKey, privateKey } = await generateKeyPair('ec', {
 *   namedCurve: 'P-256',
 *   privateKeyEncoding: { format: 'pem', type: 'pkcs8', cipher: 'aes-256-cbc', passphrase: 'secret' },
 * });
 * ```
 */
export function generateKeyPair<const Options extends KeyPairOptions = object>(
  type: KeyPairType,
  options?: Options,
  operationOptions?: OperationOptions,
): Promise<KeyPair<Options>> {
  return attempt(() => {
    operationOptions = readOperationOptions(operationOptions);
    validateString(type, 'type');
    const given = options === undefined ? undefined : readOptions(options, 'options', KEY_PAIR_OPTIONS);
    const publicEncoding = parsePublicKeyEncoding(given?.publicKeyEncoding, type, 'options.publicKeyEncoding');
    const privateEncoding = parsePrivateKeyEncoding(given?.privateKeyEncoding, type, 'options.privateKeyEncoding');
    const isEncrypted = isEncryptedOffLoop(privateEncoding);
    const parameters = parametersOf(type, given as KeyPairOptions | undefined);
    const isReady = isIn(publicEncoding, 'spki') && isIn(privateEncoding, 'pkcs8');
    const isChosen = choosesImplementation(operationOptions);
    if (!isReady && isQuick(type) && operationOptions?.mode !== 'inline' && !isChosen) {
      const generate = generatorOfNode(parameters.group ?? parameters.algorithm, operationOptions?.mode);
      if (generate !== undefined) {
        const { group: namedCurve, hasExplicitParameters } = parameters;
        const paramEncoding = hasExplicitParameters === true ? 'explicit' : 'named';
        const wanted = { type, namedCurve, paramEncoding, publicEncoding, privateEncoding } as const;
        return generate(figuresName(parameters), wanted, operationOptions) as Promise<KeyPair<Options>>;
      }
    }
    const cipher = isEncrypted ? privateEncoding.cipher : undefined;
    const privateType = type === 'ec' && !isChosen && !isIn(privateEncoding, 'pkcs8') ? 'sec1' : 'pkcs8';
    const spec = specOf(parameters, cipher, privateType, operationOptions);
    const passphrase = isEncrypted ? privateEncoding.passphrase : undefined;
    const encodings = { publicEncoding, privateEncoding, privateType, isEncrypted } as const;
    try {
      return call(
        spec,
        [passphrase],
        undefined,
        operationOptions,
        (result) => decode(result, type, encodings) as KeyPair<Options>,
      );
    } finally {
      passphrase?.fill(0);
    }
  });
}

// --- Parameters

/** The parameters of src-native/operations/key_generation.h. */
interface Parameters {
  /** OpenSSL's name of the type. */
  readonly algorithm: string;
  readonly group?: string | undefined;
  readonly digest?: string | undefined;
  readonly mgf1Digest?: string | undefined;
  readonly bits?: number | undefined;
  readonly publicExponent?: number | undefined;
  readonly saltLength?: number | undefined;
  readonly divisorBits?: number | undefined;
  readonly generator?: number | undefined;
  readonly hasExplicitParameters?: boolean;
  readonly prime?: Uint8Array | undefined;
}

const KEY_PAIR_OPTIONS = [
  'modulusLength',
  'publicExponent',
  'hashAlgorithm',
  'mgf1HashAlgorithm',
  'hash',
  'mgf1Hash',
  'saltLength',
  'divisorLength',
  'namedCurve',
  'paramEncoding',
  'group',
  'prime',
  'primeLength',
  'generator',
  'publicKeyEncoding',
  'privateKeyEncoding',
] as const;

function parametersOf(type: string, options: KeyPairOptions | undefined): Parameters {
  const parameters = Object.hasOwn(PARAMETERS, type) ? PARAMETERS[type] : undefined;
  if (parameters !== undefined) {
    if (options === undefined) throw invalidArgType('options', 'of type object', options);
    return parameters(options);
  }
  if (!SIMPLE_TYPE.test(type) || unknownToNode.has(type)) throw unsupported(type);
  return { algorithm: type.toUpperCase() };
}

const SIMPLE_TYPE =
  /^(?:(?:ed|x)(?:25519|448)|ml-dsa-(?:44|65|87)|ml-kem-(?:512|768|1024)|slh-dsa-(?:sha2|shake)-(?:128|192|256)[fs])$/;

const MOST_UNSIGNED = 2 ** 32 - 1;
const MOST_SIGNED = 2 ** 31 - 1;
const DEFAULT_PUBLIC_EXPONENT = 65_537;
const DEFAULT_GENERATOR = 2;

const PARAMETERS: Readonly<Record<string, (options: KeyPairOptions) => Parameters>> = {
  rsa: (options) => rsaParameters(options),
  'rsa-pss': (options) => rsaPssParameters(options),
  dsa: ({ modulusLength, divisorLength }) => {
    validateInteger(modulusLength, 'options.modulusLength', 0, MOST_UNSIGNED);
    const divisorBits = optionalInteger(divisorLength, 'options.divisorLength', MOST_SIGNED);
    return { algorithm: 'DSA', bits: modulusLength, divisorBits };
  },
  ec: ({ namedCurve, paramEncoding }) => {
    validateString(namedCurve, 'options.namedCurve');
    if (!PARAMETER_ENCODINGS.includes(paramEncoding)) {
      throw invalidArgValue('options.paramEncoding', paramEncoding, 'is invalid');
    }
    return { algorithm: 'EC', group: namedCurve, hasExplicitParameters: paramEncoding === 'explicit' };
  },
  dh: (options) => dhParameters(options),
};
const PARAMETER_ENCODINGS: readonly unknown[] = [undefined, null, 'named', 'explicit'];

function rsaParameters({ modulusLength, publicExponent }: KeyPairOptions): Parameters {
  validateInteger(modulusLength, 'options.modulusLength', 0, MOST_UNSIGNED);
  const exponent = optionalInteger(publicExponent, 'options.publicExponent', MOST_UNSIGNED);
  return { algorithm: 'RSA', bits: modulusLength, publicExponent: exponent ?? DEFAULT_PUBLIC_EXPONENT };
}

function rsaPssParameters(options: KeyPairOptions): Parameters {
  const { bits, publicExponent } = rsaParameters(options);
  const { saltLength, hashAlgorithm, mgf1HashAlgorithm } = options;
  if (saltLength !== undefined) validateInteger(saltLength, 'options.saltLength', 0, MOST_SIGNED);
  // The names of these options before Node.js 16.
  const { hash, mgf1Hash } = options as { hash?: unknown; mgf1Hash?: unknown };
  const digest = renamed(hashAlgorithm, 'hashAlgorithm', hash, 'hash');
  const mgf1Digest = renamed(mgf1HashAlgorithm, 'mgf1HashAlgorithm', mgf1Hash, 'mgf1Hash');
  return { algorithm: 'RSA-PSS', bits, publicExponent, saltLength, digest, mgf1Digest };
}

function renamed(value: unknown, name: string, oldValue: unknown, oldName: string): string | undefined {
  if (value !== undefined) validateString(value, `options.${name}`);
  if (oldValue === undefined) return value;
  validateString(oldValue, `options.${oldName}`);
  if (value !== undefined && value !== oldValue) throw invalidArgValue(`options.${oldName}`, oldValue, 'is invalid');
  return oldValue;
}

function dhParameters({ group, prime, primeLength, generator }: KeyPairOptions): Parameters {
  const given = { group, prime, primeLength, generator };
  if (isGiven(group)) {
    forbid(given, 'group', ['prime', 'primeLength', 'generator']);
    validateString(group, 'options.group');
    // Native code takes an empty name for none.
    if (group === '') throw nodeError('ERR_CRYPTO_UNKNOWN_DH_GROUP', 'Unknown DH group');
    return { algorithm: 'DH', group, generator: DEFAULT_GENERATOR };
  }
  if (isGiven(prime)) {
    forbid(given, 'prime', ['primeLength']);
    if (!ArrayBuffer.isView(prime)) {
      throw invalidArgType('options.prime', 'an instance of Buffer, TypedArray, or DataView', prime);
    }
  } else if (!isGiven(primeLength)) {
    const message = 'At least one of the group, prime, or primeLength options is required';
    throw nodeError('ERR_MISSING_OPTION', message, TypeError);
  }
  return {
    algorithm: 'DH',
    bits: optionalInteger(primeLength, 'options.primeLength', MOST_SIGNED),
    prime: bytesOf(prime),
    generator: optionalInteger(generator, 'options.generator', MOST_SIGNED) ?? DEFAULT_GENERATOR,
  };
}

function isGiven<T>(value: T | null | undefined): value is T {
  return value !== undefined && value !== null;
}

function forbid(given: Readonly<Record<string, unknown>>, name: string, others: readonly string[]): void {
  const other = others.find((candidate) => isGiven(given[candidate]));
  if (other === undefined) return;
  const message = `Option "${name}" cannot be used in combination with option "${other}"`;
  throw nodeError('ERR_INCOMPATIBLE_OPTION_PAIR', message, TypeError);
}

function optionalInteger(value: number | null | undefined, name: string, max: number): number | undefined {
  if (!isGiven(value)) return undefined;
  validateInteger(value, name, 0, max);
  return value;
}

function figuresName({ algorithm, group, bits }: Parameters): string {
  return ['generateKeyPair', algorithm, group ?? bits].filter(isGiven).join(' ');
}

const specs = new SpecTable();

function specOf(
  parameters: Parameters,
  cipher: string | undefined,
  privateType: 'pkcs8' | 'sec1',
  options: OperationOptions | undefined,
): Spec {
  const { algorithm, group, digest, mgf1Digest, bits, prime } = parameters;
  const { publicExponent, saltLength, divisorBits, generator, hasExplicitParameters } = parameters;
  const nameOf = (name: string | undefined): string => (name ? digestName(name) : '');
  const names = keyGenerationNames({
    type: algorithm,
    group: group ?? '',
    digest: nameOf(digest),
    mgf1Digest: nameOf(mgf1Digest),
    cipher: cipher ?? '',
  });
  const explicitParameters = hasExplicitParameters === true ? 1 : undefined;
  const ownStructure = privateType === 'sec1' ? 1 : undefined;
  const lengths = { bits, publicExponent, saltLength, divisorBits, generator };
  const numbers = keyGenerationNumbers({ ...lengths, explicitParameters, ownStructure });
  const plan: SpecPlan = {
    family: Family.keyGeneration,
    algorithm: figuresName(parameters),
    names,
    numbers,
    bytes: prime === undefined ? [] : [prime],
  };
  // A caller's own prime is rarely used twice.
  if (prime !== undefined) return createSpecIn(plan, [], options);
  return plannedSpec(specs, [...names, ...numbers].join('|'), plan, options);
}

// --- Where a pair is generated

/** Whether making keys of this type takes less time than reading them back, which holds the event loop. */
function isQuick(type: string): boolean {
  return type === 'ec' || SIMPLE_TYPE.test(type);
}

// --- Encodings of the result

// JSON Web Keys have no encryption of their own; Node.js encrypts PKCS#1 and SEC 1.
function isEncryptedOffLoop(encoding: ParsedEncoding | undefined): encoding is ParsedEncoding & { cipher: string } {
  return isIn(encoding, 'pkcs8') && encoding.cipher !== undefined;
}

/** Whether that is an encoding of DER of this type. */
function isIn(encoding: ParsedEncoding | undefined, type: string): encoding is ParsedEncoding {
  return encoding?.type === type && (encoding.format === 'pem' || encoding.format === 'der');
}

interface WantedEncodings {
  publicEncoding: ParsedEncoding | undefined;
  privateEncoding: ParsedEncoding | undefined;
  /** The structure that was generated. */
  privateType: 'pkcs8' | 'sec1';
  isEncrypted: boolean;
}

function decode(
  result: CallResult,
  type: string,
  { publicEncoding, privateEncoding, privateType, isEncrypted }: WantedEncodings,
): AnyPair {
  const spki = result.output(0);
  const privateDer = result.output(1);
  let isGivenAway = false;
  try {
    // Reading a key back takes longer than making one of an elliptic curve, and would hold the loop.
    let object: KeyObject | undefined;
    const privateObject = (): KeyObject => (object ??= known(type, () => readPrivateKey(privateDer, privateType)));
    // Node.js gets the public key out of a private one without parsing.
    const publicObject = (): KeyObject =>
      isEncrypted ? known(type, () => readPublicKey(spki)) : isolateErrors(() => nodePublicKey(privateObject()));
    if (SIMPLE_TYPE.test(type) && !knownToNode.has(type)) publicObject();
    const publicKey = ready(publicEncoding, 'spki', 'PUBLIC KEY', spki) ?? encode(publicObject(), publicEncoding);
    const label = isEncrypted ? 'ENCRYPTED PRIVATE KEY' : 'PRIVATE KEY';
    const privateKey = ready(privateEncoding, 'pkcs8', label, privateDer) ?? encode(privateObject(), privateEncoding);
    isGivenAway = privateKey === privateDer;
    return { publicKey, privateKey };
  } finally {
    if (!isGivenAway) privateDer.fill(0);
  }
}

/** The generated key, if it is in this encoding already. */
function ready(
  encoding: ParsedEncoding | undefined,
  type: string,
  label: string,
  der: Buffer,
): Buffer | string | undefined {
  if (!isIn(encoding, type)) return undefined;
  return encoding.format === 'der' ? der : pem(label, der);
}

// The types of OpenSSL's keys that KeyObject was seen to know, and not to know.
const knownToNode = new Set<string>();
const unknownToNode = new Set<string>();

function known(type: string, read: () => KeyObject): KeyObject {
  if (!SIMPLE_TYPE.test(type)) return read();
  try {
    const key = read();
    if (key.asymmetricKeyType !== undefined) {
      knownToNode.add(type);
      return key;
    }
  } catch {
    // Some versions refuse such keys, others take them as nameless.
  }
  unknownToNode.add(type);
  throw unsupported(type);
}

function encode(key: KeyObject, encoding: ParsedEncoding | undefined): AnyKey {
  if (encoding === undefined) return key;
  return isolateErrors<AnyKey>(() =>
    encoding.format === 'jwk' ? key.export({ format: 'jwk' }) : key.export(encoding as KeyExportOptions<'der'>),
  );
}

/** RFC 7468. */
function pem(label: string, der: Buffer): string {
  const lines = der.toString('base64').replace(/.{1,64}/g, '$&\n');
  return `-----BEGIN ${label}-----\n${lines}-----END ${label}-----\n`;
}

function unsupported(type: string): Error {
  return invalidArgValue('type', type, 'must be a supported key type');
}
