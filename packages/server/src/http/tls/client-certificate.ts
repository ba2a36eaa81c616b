import { createHash } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import { TLSSocket } from 'node:tls';
import { TrustFault } from '@bulla/trust/fault/fault';
import { parseCertificate } from '@bulla/trust/x509/certificate';
import type { ClientCertificate } from '../exchange.ts';

const known = new WeakMap<TLSSocket, ClientCertificate | null>();

/**
 * The client certificate of a request's connection, if it was verified against the listener's client
 * authority; else, and when it cannot be read, null. Read once a connection.
 */
export function clientCertificateOf({ socket }: IncomingMessage): ClientCertificate | null {
  if (!(socket instanceof TLSSocket)) return null;
  const found = known.get(socket);
  if (found !== undefined) return found;
  const certificate = socket.authorized ? socket.getPeerX509Certificate() : undefined;
  const read = certificate === undefined ? null : readCertificate(certificate.raw);
  known.set(socket, read);
  return read;
}

function readCertificate(der: Uint8Array): ClientCertificate | null {
  try {
    const { subjectText } = parseCertificate(der, 'the client certificate');
    return { subject: subjectText, sha256: createHash('sha256').update(der).digest('hex') };
  } catch (error) {
    if (error instanceof TrustFault) return null;
    throw error;
  }
}
