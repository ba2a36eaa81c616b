import { OPEN_PORTS } from '../../src/gateway/ports.ts';
import { createGateway, type Gateway, type GatewayParts } from '../../src/gateway/service.ts';
import type { Objects } from '../../src/storage/objects.ts';
import type { Registers } from '../../src/storage/registers.ts';

/** A way to draw numbers from 0 to 1. */
export type Draw = () => number;

/** How one replica among several goes about its calls of the store. */
export interface Pace {
  /** Draws before each call how many turns of the event loop the replica waits. */
  readonly draw: Draw;
  readonly mostTurns?: number;
  /** The replica dies at its call of this number: that one, and all later ones, never happen. */
  readonly diesAt?: number;
}

/** What a replica that died throws. */
export class Died extends Error {}

/** A replica of a gateway on a store that others use as well, its calls interleaved with theirs. */
export function openReplica(
  parts: Omit<GatewayParts, 'ports'> & Partial<Pick<GatewayParts, 'ports'>>,
  pace: Pace,
): Gateway {
  const step = stepper(pace);
  return createGateway({
    ports: OPEN_PORTS,
    ...parts,
    objects: paced(parts.objects, step),
    registers: paced(parts.registers, step),
  });
}

function stepper({ draw, mostTurns = 6, diesAt = Number.POSITIVE_INFINITY }: Pace) {
  let calls = 0;
  return async () => {
    calls += 1;
    for (let turns = Math.floor(draw() * mostTurns); turns > 0; turns--) {
      await new Promise((resolve) => setImmediate(resolve));
    }
    if (calls >= diesAt) throw new Died();
  };
}

function paced<T extends Objects | Registers>(store: T, step: () => Promise<void>): T {
  return new Proxy(store, {
    get(target, name, receiver) {
      const method: unknown = Reflect.get(target, name, receiver);
      if (typeof method !== 'function') return method;
      return async (...args: readonly unknown[]) => {
        await step();
        return Reflect.apply(method, target, args) as unknown;
      };
    },
  });
}
