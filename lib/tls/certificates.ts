// Certificates as node:tls gives them.
import { X509Certificate } from 'node:crypto';
import type { PeerCertificate } from 'node:tls';

type Legacy = PeerCertificate & { issuerCertificate?: PeerCertificate };

/** A certificate in DER. */
export const legacyObject = (der: Buffer): Legacy => new X509Certificate(der).toLegacyObject();

/** The first certificate of a chain; `detailed`: with its issuers. */
export function peerCertificate(ders: Buffer[], detailed: boolean): PeerCertificate | Record<string, never> {
  const certificates = ders.map((der) => new X509Certificate(der));
  const chain = certificates.map((each): Legacy => each.toLegacyObject());
  const [first] = chain;
  if (first === undefined) return {};
  if (!detailed) return first;
  for (const [index, each] of chain.entries()) {
    const issuer = chain[index + 1] ?? (isSelfIssued(certificates[index] as X509Certificate) ? each : undefined);
    if (issuer !== undefined) each.issuerCertificate = issuer;
  }
  return first;
}

/** The first certificate of a chain, which knows its issuer; undefined without one. */
export function peerX509Certificate(ders: Buffer[]): X509Certificate | undefined {
  const [first, ...issuers] = ders;
  if (first === undefined) return undefined;
  const certificate = new X509Certificate(first);
  const issuer = peerX509Certificate(issuers);
  if (issuer !== undefined)
    Object.defineProperty(certificate, 'issuerCertificate', { configurable: true, value: issuer });
  return certificate;
}

// Equal names are not enough.
const isSelfIssued = (certificate: X509Certificate): boolean => certificate.checkIssued(certificate);
