// The library that the OpenSSL functions of an engine, a provider or an addon are bound to when this process loads it.
import { readFileSync } from 'node:fs';
import * as path from 'node:path';
import { capability, opensslVersion } from '../index';
import { environment, symbols } from '../native/environment';
import { readElf, type ElfModule, type UndefinedSymbol } from './elf';
import { messageOf, problem, unknown, type Finding } from './finding';

const LIBRARY = /^lib(crypto|ssl)\b.*\.so/;

// The prefixes of OpenSSL's names, for modules that do not say whose their symbols are.
const PREFIXES =
  'AES ASN1 ASYNC BF BIO BN BUF CAST CMAC CMS COMP CONF CRYPTO CT DES DH DSA DTLS EC ECDH ECDSA ENGINE ERR EVP HMAC MD4 MD5 ' +
  'NCONF OBJ OCSP OPENSSL OSSL OpenSSL PEM PKCS12 PKCS5 PKCS7 PKCS8 RAND RC2 RC4 RIPEMD160 RSA SCT SHA1 SHA224 SHA256 ' +
  'SHA384 SHA512 SMIME SRP SSL TLS TS UI X509 X509V3 X509v3 d2i i2d';
const NAME = new RegExp(`^(${PREFIXES.replaceAll(' ', '|')})_[A-Za-z]`);

/** For the ELF platforms; elsewhere it says that it cannot tell. */
export function describeModule(file: string): Finding {
  const details = { path: path.resolve(file) };
  let bytes: Buffer;
  try {
    bytes = readFileSync(file);
  } catch (error) {
    return problem(`cannot be read: ${messageOf(error)}`, ['Check the path.'], { details });
  }
  if (process.platform === 'win32' || process.platform === 'darwin') {
    return unknown(`what a module binds to is not looked up on ${process.platform}`, { details });
  }
  let elf: ElfModule;
  try {
    elf = readElf(bytes);
  } catch (error) {
    return problem(`is no module for this platform: ${messageOf(error)}`, ['Give the path of a shared object.'], {
      details,
    });
  }
  return judge(elf, details);
}

function judge(elf: ElfModule, details: Record<string, unknown>): Finding {
  const libraries = elf.needed.filter((library) => LIBRARY.test(library));
  const used = elf.undefinedSymbols.filter((symbol) => isOpenSSL(symbol));
  Object.assign(details, { machine: elf.machine, needed: elf.needed, libraries, bindsAtOnce: elf.bindsAtOnce });
  if (elf.machine !== process.arch) {
    return problem(`is for ${elf.machine}, and this process is ${process.arch}`, ['Build it for this machine.'], {
      details,
    });
  }
  const addon = symbols();
  if (addon === undefined) {
    const summary = `uses ${count(used)} of OpenSSL; without the addon it cannot be told which of them this process has`;
    return unknown(summary, { details: { ...details, symbols: used.map(({ name }) => name) } });
  }
  if (elf.isPkcs11) return judgeToken(details);
  const missing = used.filter(({ name, weak }) => !weak && !addon.hasSymbol(name)).map(({ name }) => name);
  const bound = used.filter(({ name }) => addon.hasSymbol(name)).map(({ name }) => name);
  const async = bound.filter((name) => name.startsWith('ASYNC_'));
  Object.assign(details, { bound: bound.length, async, missing });

  const notes = [
    libraries.length > 0 ? `needs ${libraries.join(', ')}` : 'needs no libcrypto: it takes what the process has',
    async.length > 0 ? `can pause: ${async.join(', ')}` : 'uses no ASYNC_ function by itself',
  ];
  if (missing.length === 0) {
    const summary =
      used.length === 0
        ? 'uses no function of OpenSSL'
        : `all ${count(used)} of OpenSSL's bind to this process's own OpenSSL`;
    return { status: 'ok', summary, notes, details };
  }
  notes.push(`missing here: ${missing.join(', ')}`);
  const summary = `of ${count(used)} of OpenSSL's, ${missing.length} missing in this process's own OpenSSL`;
  if (libraries.length > 0) {
    const remedy =
      `They come from ${libraries.join(', ')}, a second OpenSSL, whose objects must not meet those of the process. ` +
      'Build the module for an OpenSSL that is not newer than that of the process.';
    return problem(summary, [remedy], { notes, details });
  }
  const effect = elf.bindsAtOnce ? 'The module does not load.' : 'The process ends where one of them is called.';
  return problem(summary, [`${effect} Build the module for the OpenSSL of this process.`], { notes, details });
}

// A module of PKCS#11 is no engine or provider: an engine or provider opens it.
function judgeToken(details: Record<string, unknown>): Finding {
  if (capability() === 'none')
    return unknown('is a module of PKCS#11; without the addon it cannot be told more', { details });
  const [second, canIsolate] = environment().addon.modules.secondLibcrypto(String(details.path));
  Object.assign(details, { pkcs11: true, secondLibcrypto: second, canIsolate });
  const summary = 'is a module of PKCS#11';
  if (second === '') return { status: 'ok', summary: `${summary} that brings no OpenSSL of its own`, details };
  const notes = [`depends on ${second}, a second libcrypto, as this process has ${opensslVersion() ?? 'its own'}`];
  if (canIsolate) {
    notes.push(
      'loadProvider() and loadEngine() open it first and keep that libcrypto apart (RTLD_DEEPBIND) when ' +
        "'pkcs11-module-path' or 'MODULE_PATH' names it, in parameters, commands or a configuration file. Otherwise " +
        'list it: { isolate: [path] }.',
    );
    return { status: 'ok', summary: `${summary} whose OpenSSL is kept apart from this process's`, notes, details };
  }
  const remedy =
    'This C library cannot keep the two apart, and the process may end with the first login. Run the module in a ' +
    "process of its own with p11-kit's remoting (p11-kit server), and load p11-kit-client.so in its place.";
  const mixed = `${summary} whose OpenSSL may be mixed up with this process's`;
  return { status: 'warning', summary: mixed, notes, remedies: [remedy], details };
}

function isOpenSSL({ name, library }: UndefinedSymbol): boolean {
  return library === undefined ? NAME.test(name) : LIBRARY.test(library);
}

function count({ length }: { length: number }): string {
  return length === 1 ? '1 function' : `${length} functions`;
}
