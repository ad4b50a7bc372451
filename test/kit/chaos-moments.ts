/** Moments of the fake server's histories: its epochs are counted, so they have an order. */
import type { EventId } from '../../src/core/model.ts';

export function nameOf({ epoch, revision }: EventId): string {
  return `${epoch}.${revision}`;
}

export function isOlder(a: EventId, b: EventId): boolean {
  const [epochOfA, epochOfB] = [Number(a.epoch.slice(1)), Number(b.epoch.slice(1))];
  return epochOfA < epochOfB || (epochOfA === epochOfB && a.revision < b.revision);
}
