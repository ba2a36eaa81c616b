import type { IncomingMessage } from 'node:http';
import { TrustFault } from '@bulla/trust/fault/fault';
import { tellToGoOn } from '../http/continue.ts';

/** Reads bodies into one buffer each, of bounded size alone and together. */
export interface Bodies {
  /**
   * The whole body. Throws `http.body-too-large`, `http.body-cut`, and `admission.overloaded` while
   * others fill the room.
   */
  read(request: IncomingMessage): Promise<Uint8Array>;
}

/** Room for bodies that come at the same time. */
export function openBodies(maxBytes: number, maxHeldBytes: number): Bodies {
  let held = 0;
  return {
    read(request) {
      return new Promise((resolve, reject) => {
        const announced = Number(request.headers['content-length'] ?? 0);
        if (announced > maxBytes) {
          reject(tooLarge(maxBytes));
          return;
        }
        const chunks: Buffer[] = [];
        let size = 0;
        // Whoever is called after the end does nothing: to take four listeners off again costs more.
        let over = false;
        const done = () => {
          over = true;
          held -= size;
        };
        const refuse = (fault: TrustFault) => {
          done();
          request.off('data', take).pause();
          reject(fault);
        };
        function take(chunk: Buffer): void {
          size += chunk.length;
          held += chunk.length;
          if (size > maxBytes) refuse(tooLarge(maxBytes));
          else if (held > maxHeldBytes)
            refuse(new TrustFault('admission.overloaded', 'too many at once'));
          else chunks.push(chunk);
        }
        function whole(): void {
          if (over) return;
          done();
          const [only] = chunks;
          resolve(chunks.length === 1 && only !== undefined ? only : Buffer.concat(chunks));
        }
        function cut(): void {
          if (over) return;
          done();
          reject(new TrustFault('http.body-cut', 'the connection ended within the body'));
        }
        request.on('data', take).on('end', whole).on('error', cut).on('close', cut);
        tellToGoOn(request);
      });
    },
  };
}

function tooLarge(maxBytes: number): TrustFault {
  return new TrustFault('http.body-too-large', `expected a review of at most ${maxBytes} bytes`);
}
