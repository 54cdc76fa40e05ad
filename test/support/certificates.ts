// A small authority that signs what one should not: certificates with one fault each, as `openssl ca` makes them.
import { execFileSync } from 'node:child_process';
import * as fs from 'node:fs';
import * as os from 'node:os';
import * as path from 'node:path';
import type { Identity } from './tls';

const CONFIGURATION = `
[ca]
default_ca = authority
[authority]
new_certs_dir = .
database = index.txt
serial = serial
crlnumber = crlnumber
default_md = sha256
default_days = 30
default_crl_days = 30
policy = anything
unique_subject = no
[anything]
commonName = supplied
[req]
distinguished_name = name
[name]
`;

/** Settings of a certificate; without any it is a good one of a server and a client. */
export interface Wanted {
  /** The common name. @defaultValue the name of the files */
  name?: string;
  /** Lines of `x509v3_config(5)`. */
  extensions?: string[];
  /** As YYMMDDHHMMSSZ. */
  notBefore?: string;
  notAfter?: string;
  digest?: string;
  /** Arguments of `openssl req -newkey`. @defaultValue P-256 */
  algorithm?: string[];
}

export const AUTHORITY = ['basicConstraints = critical, CA:true', 'keyUsage = critical, keyCertSign, cRLSign'];
export const LEAF = ['basicConstraints = CA:false', 'keyUsage = digitalSignature'];
const P256 = ['ec', '-pkeyopt', 'ec_paramgen_curve:P-256'];

export class Authorities {
  readonly #folder = fs.mkdtempSync(path.join(os.tmpdir(), 'openssl-async-authority-'));

  constructor() {
    fs.writeFileSync(this.#file('config'), CONFIGURATION);
    this.#write('index.txt', '');
    this.#write('serial', '1000');
    this.#write('crlnumber', '1000');
  }

  /** Removes its files. */
  close(): void {
    fs.rmSync(this.#folder, { recursive: true });
  }

  /** A certificate that signs itself. */
  root(file: string, wanted: Wanted = {}): Identity {
    this.#request(file, wanted);
    return this.#sign(file, ['-selfsign', '-keyfile', `${file}.key`], { extensions: AUTHORITY, ...wanted });
  }

  /** A certificate that the one of the file `issuer` has signed. */
  signed(file: string, issuer: string, wanted: Wanted = {}): Identity {
    this.#request(file, wanted);
    return this.#sign(file, ['-cert', `${issuer}.pem`, '-keyfile', `${issuer}.key`], { extensions: LEAF, ...wanted });
  }

  /** The list of what `issuer` has revoked, which is now the certificate of `file`, too. */
  revoke(file: string, issuer: string): string {
    const signer = ['-cert', `${issuer}.pem`, '-keyfile', `${issuer}.key`];
    this.#openssl('ca', ...signer, '-revoke', `${file}.pem`);
    return this.revoked(issuer);
  }

  /** The list of what `issuer` has revoked. */
  revoked(issuer: string): string {
    this.#openssl('ca', '-cert', `${issuer}.pem`, '-keyfile', `${issuer}.key`, '-gencrl', '-out', 'list.pem');
    return fs.readFileSync(this.#file('list.pem'), 'utf8');
  }

  #request(file: string, { name = file, algorithm = P256 }: Wanted): void {
    const subject = ['-subj', `/CN=${name}`];
    this.#openssl(
      'req',
      '-new',
      '-nodes',
      ...subject,
      '-newkey',
      ...algorithm,
      '-keyout',
      `${file}.key`,
      '-out',
      'csr',
    );
  }

  #sign(file: string, signer: string[], { extensions = [], notBefore, notAfter, digest }: Wanted): Identity {
    this.#write('extensions', extensions.join('\n'));
    const options = ['-batch', '-notext', '-in', 'csr', '-out', `${file}.pem`, '-extfile', 'extensions'];
    if (notBefore !== undefined) options.push('-startdate', notBefore);
    if (notAfter !== undefined) options.push('-enddate', notAfter);
    if (digest !== undefined) options.push('-md', digest);
    this.#openssl('ca', ...signer, ...options);
    return {
      cert: fs.readFileSync(this.#file(`${file}.pem`), 'utf8'),
      key: fs.readFileSync(this.#file(`${file}.key`), 'utf8'),
    };
  }

  #file(name: string): string {
    return path.join(this.#folder, name);
  }
  #write(name: string, text: string): void {
    fs.writeFileSync(this.#file(name), `${text}${text === '' ? '' : '\n'}`);
  }
  #openssl(command: string, ...args: string[]): void {
    execFileSync('openssl', [command, '-config', 'config', ...args], { cwd: this.#folder, stdio: 'pipe' });
  }
}
