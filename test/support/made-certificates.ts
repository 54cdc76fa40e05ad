// Certificates of any content, which no tool would make: their DER is written here.
import * as crypto from 'node:crypto';

const TAGS = {
  boolean: 0x01,
  integer: 0x02,
  bits: 0x03,
  octets: 0x04,
  null: 0x05,
  object: 0x06,
  utf8: 0x0c,
  printable: 0x13,
  teletex: 0x14,
  ia5: 0x16,
  time: 0x18,
  universal: 0x1c,
  bmp: 0x1e,
  sequence: 0x30,
  set: 0x31,
} as const;
type Tag = keyof typeof TAGS | number;

/** How a value of a name is encoded. */
export type TextKind = 'utf8' | 'printable' | 'teletex' | 'ia5' | 'bmp' | 'universal';
/** One attribute of a name: an object identifier, and its text. */
export interface Attribute {
  readonly type: string;
  readonly kind: TextKind;
  readonly text: string;
}
/** A name: each part has one attribute or several. */
export type Name = readonly (readonly Attribute[])[];

/** A name within `subjectAltName` or `authorityInfoAccess`. */
export type GeneralName =
  | { readonly kind: 'email' | 'dns' | 'uri'; readonly text: string }
  | { readonly kind: 'address'; readonly bytes: Buffer }
  | { readonly kind: 'registered'; readonly id: string }
  | { readonly kind: 'directory'; readonly name: Name }
  | { readonly kind: 'other'; readonly id: string; readonly text: string };

/** The content of a certificate. */
export interface Content {
  /** Big-endian, as it stands in the certificate. */
  readonly serial: Buffer;
  readonly subject: Name;
  readonly isAuthority: boolean;
  readonly alternatives?: readonly GeneralName[];
  /** Of `extendedKeyUsage`. */
  readonly purposes?: readonly string[];
  /** Pairs of a method and a place. */
  readonly access?: readonly (readonly [method: string, place: GeneralName])[];
}
/** A certificate and its key. */
export interface Made {
  readonly der: Buffer;
  readonly pem: string;
  readonly subject: Name;
  readonly key: crypto.KeyObject;
}

function encode(tag: Tag, ...parts: Buffer[]): Buffer {
  const content = Buffer.concat(parts);
  const { length } = content;
  const size = length < 0x80 ? [length] : length < 0x100 ? [0x81, length] : [0x82, length >> 8, length & 0xff];
  return Buffer.concat([Buffer.from([typeof tag === 'number' ? tag : TAGS[tag], ...size]), content]);
}

function objectId(dotted: string): Buffer {
  const [first = 0, second = 0, ...rest] = dotted.split('.').map(Number);
  const bytes: number[] = [];
  for (const arc of [first * 40 + second, ...rest]) {
    const digits = [arc % 128];
    for (let left = Math.floor(arc / 128); left > 0; left = Math.floor(left / 128)) digits.unshift((left % 128) + 128);
    bytes.push(...digits);
  }
  return encode('object', Buffer.from(bytes));
}

function encodeText(kind: TextKind, text: string): Buffer {
  const points = Array.from(text, (each) => each.codePointAt(0) ?? 0);
  if (kind === 'utf8') return encode(kind, Buffer.from(text));
  if (kind === 'universal') return encode(kind, Buffer.concat(points.map((point) => unsigned(point, 4))));
  if (kind === 'bmp') return encode(kind, Buffer.concat(points.map((point) => unsigned(point & 0xffff, 2))));
  return encode(kind, Buffer.from(text, 'latin1'));
}

function unsigned(value: number, size: number): Buffer {
  const bytes = Buffer.alloc(size);
  bytes.writeUIntBE(value, 0, size);
  return bytes;
}

const attribute = ({ type, kind, text }: Attribute): Buffer =>
  encode('sequence', objectId(type), encodeText(kind, text));

const encodeName = (name: Name): Buffer =>
  encode('sequence', ...name.map((part) => encode('set', ...part.map(attribute).sort((a, b) => a.compare(b)))));

function generalName(name: GeneralName): Buffer {
  switch (name.kind) {
    case 'other':
      return encode(0xa0, objectId(name.id), encode(0xa0, encodeText('utf8', name.text)));
    case 'email':
      return encode(0x81, Buffer.from(name.text, 'latin1'));
    case 'dns':
      return encode(0x82, Buffer.from(name.text, 'latin1'));
    case 'directory':
      return encode(0xa4, encodeName(name.name));
    case 'uri':
      return encode(0x86, Buffer.from(name.text, 'latin1'));
    case 'address':
      return encode(0x87, name.bytes);
    case 'registered':
      return encode(0x88, objectId(name.id).subarray(2));
  }
}

function extension(id: string, value: Buffer): Buffer {
  return encode('sequence', objectId(id), encode('octets', value));
}

function extensions({ isAuthority, alternatives = [], purposes = [], access = [] }: Content): Buffer {
  const all: Buffer[] = [];
  if (isAuthority) all.push(extension('2.5.29.19', encode('sequence', encode('boolean', Buffer.from([0xff])))));
  if (alternatives.length > 0) all.push(extension('2.5.29.17', encode('sequence', ...alternatives.map(generalName))));
  if (purposes.length > 0) all.push(extension('2.5.29.37', encode('sequence', ...purposes.map(objectId))));
  const descriptions = access.map(([method, place]) => encode('sequence', objectId(method), generalName(place)));
  if (descriptions.length > 0) all.push(extension('1.3.6.1.5.5.7.1.1', encode('sequence', ...descriptions)));
  return all.length === 0 ? Buffer.alloc(0) : encode(0xa3, encode('sequence', ...all));
}

const ECDSA_WITH_SHA256 = encode('sequence', objectId('1.2.840.10045.4.3.2'));
const YEARS = ['20200101000000Z', '20991231235959Z'].map((time) => encode('time', Buffer.from(time)));

/** A certificate for a key, which an issuer with a key of P-256 signs; without one it signs itself by `signer`. */
export function makeCertificate(
  content: Content,
  key: crypto.KeyObject,
  issuer: { readonly subject: Name; readonly key: crypto.KeyObject },
): Made {
  const { serial, subject } = content;
  const body = encode(
    'sequence',
    encode(0xa0, encode('integer', Buffer.from([2]))),
    encode('integer', serial),
    ECDSA_WITH_SHA256,
    encodeName(issuer.subject),
    encode('sequence', ...YEARS),
    encodeName(subject),
    crypto.createPublicKey(key).export({ type: 'spki', format: 'der' }),
    extensions(content),
  );
  const signature = crypto.sign('sha256', body, issuer.key);
  const der = encode('sequence', body, ECDSA_WITH_SHA256, encode('bits', Buffer.from([0]), signature));
  const lines = der.toString('base64').match(/.{1,64}/g) ?? [];
  const pem = ['-----BEGIN CERTIFICATE-----', ...lines, '-----END CERTIFICATE-----', ''].join('\n');
  return { der, pem, subject, key };
}
