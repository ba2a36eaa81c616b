import { connect as connectPlain, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';

/** Where bytes are sent: no client between them and the port. */
export interface Port {
  readonly host: string;
  readonly port: number;
  /** Whether a TLS session carries the bytes. */
  readonly tls: boolean;
}

/** The port of `http://127.0.0.1:5000` or `https://…`. */
export function portOf(address: string): Port {
  const { hostname, port, protocol } = new URL(address);
  return { host: hostname, port: Number(port), tls: protocol === 'https:' };
}

/**
 * Sends a request as it is, which must ask for its connection to be closed, and gives all that comes
 * back until it is. A connection that is reset answers with what had come by then.
 */
export function sendRaw(to: Port, bytes: string | Uint8Array): Promise<string> {
  return converse(to, (socket) => void socket.write(bytes));
}

/** As `sendRaw` for what may be no request: ends its own side, so that nobody waits for the rest. */
export function sendGarbage(to: Port, bytes: string | Uint8Array): Promise<string> {
  return converse(to, (socket) => void socket.end(bytes));
}

async function converse(
  { host, port, tls }: Port,
  speak: (socket: Socket) => void,
): Promise<string> {
  const socket = tls
    ? connectTls({ host, port, rejectUnauthorized: false })
    : connectPlain({ host, port });
  const parts: Buffer[] = [];
  socket.on('data', (part: Buffer) => parts.push(part));
  // What is sent after the other side has hung up fails, and is no concern of ours.
  socket.on('error', () => undefined);
  speak(socket);
  await new Promise<void>((resolve) => socket.once('close', () => resolve()));
  return Buffer.concat(parts).toString('latin1');
}

/** Sends the beginning of a request and hangs up in its middle, once `isTime` resolves. */
export async function cutOff(
  to: Port,
  bytes: string | Uint8Array,
  isTime: () => Promise<void> = async () => undefined,
): Promise<void> {
  const socket = connectPlain({ host: to.host, port: to.port });
  socket.on('error', () => undefined);
  await new Promise<void>((resolve) => socket.write(bytes, () => resolve()));
  await isTime();
  socket.resetAndDestroy();
}

/** The status of a raw answer; null where there was none. */
export function statusOf(answer: string): number | null {
  const status = /^HTTP\/1\.1 (\d{3}) /.exec(answer)?.[1];
  return status === undefined ? null : Number(status);
}
