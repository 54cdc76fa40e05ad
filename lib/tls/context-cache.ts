// Contexts of clients that gave options for each connection: making one takes as long as half a handshake.
import * as nodeTls from 'node:tls';
import type { NativeTlsContext } from '../native/contract/handles';

// Those of clients without identities. Others stay with whoever gave them.
const NAMES = [
  'allowPartialTrustChain',
  'ca',
  'certificateCompression',
  'ciphers',
  'ecdhCurve',
  'honorCipherOrder',
  'maxVersion',
  'minVersion',
  'secureOptions',
  'secureProtocol',
  'sessionTimeout',
  'sigalgs',
] as const;
const MOST_CONTEXTS = 16;
// Comparing longer texts would take as long.
const MOST_CHARACTERS = 64 * 1024;

const contexts = new Map<string, NativeTlsContext>(); // the one that was used last comes last

/** The context of the same options, or a new one. */
export function cachedContext(
  options: Readonly<Record<string, unknown>>,
  make: () => NativeTlsContext,
): NativeTlsContext {
  const name = nameOf(options);
  if (name === undefined) return make();
  const context = contexts.get(name) ?? make();
  contexts.delete(name);
  contexts.set(name, context);
  const [oldest] = contexts.keys();
  if (contexts.size > MOST_CONTEXTS && oldest !== undefined) contexts.delete(oldest);
  return context;
}

// Undefined for options that have no name.
function nameOf(options: Readonly<Record<string, unknown>>): string | undefined {
  const { DEFAULT_CIPHERS, DEFAULT_ECDH_CURVE, DEFAULT_MAX_VERSION, DEFAULT_MIN_VERSION } = nodeTls;
  const parts: unknown[] = [DEFAULT_CIPHERS, DEFAULT_ECDH_CURVE, DEFAULT_MAX_VERSION, DEFAULT_MIN_VERSION];
  let size = 0;
  for (const [name, value] of Object.entries(options)) {
    if (value === undefined) continue;
    if (!(NAMES as readonly string[]).includes(name)) return undefined;
    const texts = (Array.isArray(value) ? (value as unknown[]) : [value]).map(textOf);
    if (texts.includes(undefined)) return undefined;
    size += texts.reduce<number>((sum, each) => sum + String(each).length, 0);
    parts.push(name, Array.isArray(value), texts);
  }
  return size > MOST_CHARACTERS ? undefined : JSON.stringify(parts);
}

// With the kind of the value: '1' is not 1.
function textOf(value: unknown): string | undefined {
  if (Buffer.isBuffer(value)) return value.length > MOST_CHARACTERS ? undefined : `b${value.toString('latin1')}`;
  if (typeof value === 'string') return `s${value}`;
  return typeof value === 'number' || typeof value === 'boolean' ? `p${String(value)}` : undefined;
}
