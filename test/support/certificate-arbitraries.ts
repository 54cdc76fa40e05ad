// Random certificates, with their issuers, for properties of what is told of them.
import * as crypto from 'node:crypto';
import fc from 'fast-check';
import {
  makeCertificate,
  type Attribute,
  type Content,
  type GeneralName,
  type Made,
  type Name,
  type TextKind,
} from './made-certificates';

const make = (curve: string): crypto.KeyObject => crypto.generateKeyPairSync('ec', { namedCurve: curve }).privateKey;

// The types of Node.js know no keys without a limit to their digests.
const makeRsaPss = (limits?: object): crypto.KeyObject =>
  (crypto.generateKeyPairSync as (...all: unknown[]) => { privateKey: crypto.KeyObject })('rsa-pss', {
    modulusLength: 2048,
    ...limits,
  }).privateKey;

// Made once: keys of RSA take their time.
const KEYS = {
  rsa: crypto.generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey,
  'rsa-pss': makeRsaPss(),
  'rsa-pss of SHA-256': makeRsaPss({ hashAlgorithm: 'sha256', mgf1HashAlgorithm: 'sha256', saltLength: 32 }),
  'P-256': make('P-256'),
  'P-384': make('P-384'),
  'P-521': make('P-521'),
  ed25519: crypto.generateKeyPairSync('ed25519').privateKey,
  ed448: crypto.generateKeyPairSync('ed448').privateKey,
};
type KeyKind = keyof typeof KEYS;
const ISSUERS = { root: make('P-256'), intermediate: make('P-256') };

const PLAIN: Name = [[{ type: '2.5.4.3', kind: 'utf8', text: 'authority' }]];
const STRANGER_CONTENT = { serial: Buffer.from([1]), subject: PLAIN, isAuthority: true };
/** The certificate of an authority that has signed nothing. */
export const STRANGER = makeCertificate(STRANGER_CONTENT, KEYS['P-256'], { subject: PLAIN, key: KEYS['P-256'] });

const ATTRIBUTES = [
  '2.5.4.3', // CN
  '2.5.4.5', // serialNumber
  '2.5.4.6', // C
  '2.5.4.10', // O
  '2.5.4.11', // OU
  '1.2.840.113549.1.9.1', // emailAddress
  '0.9.2342.19200300.100.1.25', // DC
  '1.3.6.1.4.1.99999.1', // of nobody
];
const PURPOSES = ['1.3.6.1.5.5.7.3.1', '1.3.6.1.5.5.7.3.2', '2.5.29.37.0', '1.3.6.1.4.1.99999.2'];
const METHODS = ['1.3.6.1.5.5.7.48.1', '1.3.6.1.5.5.7.48.2', '1.3.6.1.4.1.99999.3'];

const TEXTS = [
  'localhost',
  '*.test',
  'a, DNS:b.test',
  'quoted "text"',
  'Zürich',
  '東京',
  'line\nfeed',
  'nul\0byte',
  '',
  '\\',
  '+=',
];
const text = fc.oneof(
  fc.constantFrom(...TEXTS),
  fc.string({ maxLength: 20 }),
  fc.string({ unit: 'binary', maxLength: 8 }),
);
const ascii = fc.oneof(
  fc.constantFrom(
    'localhost',
    'localhost',
    '*.test',
    'a.test',
    'http://a.test/?b="c",d',
    'x\ny:z',
    "it's",
    'nul\0byte',
  ),
  fc.string({ maxLength: 20 }),
);

const attribute: fc.Arbitrary<Attribute> = fc.record({
  type: fc.constantFrom(...ATTRIBUTES),
  kind: fc.constantFrom<TextKind>('utf8', 'utf8', 'printable', 'teletex', 'ia5', 'bmp', 'universal'),
  text,
});
const name: fc.Arbitrary<Name> = fc.oneof(
  fc.constantFrom<Name[]>([], [[{ type: '2.5.4.3', kind: 'utf8', text: 'localhost' }]]),
  fc.array(fc.array(attribute, { minLength: 1, maxLength: 3 }), { maxLength: 5 }),
);

const address = fc.constantFrom(
  '7f000001',
  '00000000000000000000000000000001',
  '20010db8000000000000000000000001',
  '0a00',
);
const generalName: fc.Arbitrary<GeneralName> = fc.oneof(
  fc.record({ kind: fc.constantFrom('dns' as const, 'dns' as const, 'email' as const, 'uri' as const), text: ascii }),
  fc.record({ kind: fc.constant('address' as const), bytes: address.map((hex) => Buffer.from(hex, 'hex')) }),
  fc.record({ kind: fc.constant('registered' as const), id: fc.constantFrom(...PURPOSES) }),
  fc.record({ kind: fc.constant('directory' as const), name }),
  fc.record({
    kind: fc.constant('other' as const),
    id: fc.constantFrom('1.3.6.1.4.1.311.20.2.3', '1.3.6.1.5.5.7.8.9', '1.3.6.1.4.1.99999.4'),
    text,
  }),
);

const serial = fc.oneof(
  fc.constantFrom('00', '01', '7f', '0080', '80', 'ff'),
  fc.constantFrom(1, 20, 21, 64).map((size) => '5a'.repeat(size)),
);
const content = fc.record({
  serial: serial.map((hex) => Buffer.from(hex, 'hex')),
  subject: name,
  alternatives: fc.oneof(
    fc.constant([{ kind: 'dns', text: 'localhost' } as const]),
    fc.array(generalName, { maxLength: 5 }),
  ),
  purposes: fc.oneof({ weight: 3, arbitrary: fc.constant([]) }, fc.subarray(PURPOSES)),
  access: fc.array(fc.tuple(fc.constantFrom(...METHODS), generalName), { maxLength: 3 }),
});

/** A certificate and its key as options take them, and the root that leads to it. */
export interface RandomIdentity {
  readonly cert: string;
  readonly key: string;
  readonly root: string;
}

// Not backwards: Node.js loses issuers then.
/** Identities of every kind of key, whose chains have one to three certificates, sent in part or with others. */
export const identity: fc.Arbitrary<RandomIdentity> = fc
  .record({
    kind: fc.constantFrom(...(Object.keys(KEYS) as KeyKind[])),
    depth: fc.constantFrom(0, 1, 1, 2, 2),
    contents: fc.tuple(content, content, content),
    sent: fc.constantFrom('all but the root', 'all but the root', 'all', 'the first', 'with a stranger'),
  })
  .map(({ kind, depth, contents, sent }) => {
    const chain = makeChain(kind, depth, contents);
    const [leaf, ...issuers] = chain;
    const root = chain[depth] as Made;
    const others = {
      'the first': [],
      'all but the root': issuers.slice(0, -1),
      all: issuers,
      'with a stranger': [STRANGER, ...issuers.slice(0, -1)],
    }[sent];
    return {
      cert: [leaf as Made, ...others].map(({ pem }) => pem).join(''),
      key: (leaf as Made).key.export({ type: 'pkcs8', format: 'pem' }) as string,
      root: root.pem,
    };
  })
  .map((made) => Object.assign(made, { [fc.toStringMethod]: () => made.cert }));

type RandomContent = Omit<Content, 'isAuthority'>;

// The leaf comes first, the root last. One that signs itself has a key of P-256.
function makeChain(
  kind: KeyKind,
  depth: number,
  contents: readonly [RandomContent, RandomContent, RandomContent],
): Made[] {
  const [ofLeaf, ofIntermediate, ofRoot] = contents;
  if (depth === 0) {
    const key = KEYS['P-256'];
    return [makeCertificate({ ...ofLeaf, isAuthority: false }, key, { subject: ofLeaf.subject, key })];
  }
  const authority = ({ serial: number, subject, alternatives = [] }: RandomContent): Content => ({
    serial: number,
    subject,
    alternatives,
    isAuthority: true,
  });
  const root = makeCertificate(authority(ofRoot), ISSUERS.root, { subject: ofRoot.subject, key: ISSUERS.root });
  const issuers = [root];
  if (depth === 2) issuers.unshift(makeCertificate(authority(ofIntermediate), ISSUERS.intermediate, root));
  return [makeCertificate({ ...ofLeaf, isAuthority: false }, KEYS[kind], issuers[0] as Made), ...issuers];
}
