/** Who may look at the shop: entities to begin with, one press each. */
import type { Whom } from './question.ts';

export interface Visitor {
  readonly name: string;
  readonly whom: Whom;
}

function visitor(name: string, entityID: string, context: Readonly<Record<string, string>>): Visitor {
  const rows = Object.entries(context).map(([property, value]) => ({ property, value }));
  return { name, whom: { entityID, entityType: '', context: rows } };
}

export const VISITORS: readonly [Visitor, ...Visitor[]] = [
  visitor('Ana, premium, DE', 'visitor-1041', {
    plan: 'premium',
    country: 'DE',
    city: 'Berlin',
    email: 'ana@mail.example',
    appVersion: '8',
    connection: 'fast',
  }),
  visitor('Ben, free, US', 'visitor-2207', {
    plan: 'free',
    country: 'US',
    city: 'New York',
    email: 'ben@mail.example',
    appVersion: '6',
    connection: 'fast',
  }),
  visitor('Beta tester', 'visitor-3318', {
    plan: 'free',
    country: 'FR',
    city: 'Paris',
    email: 'chloe@shop.example',
    beta: 'yes',
    appVersion: '9',
    connection: 'slow',
  }),
  visitor('Student', 'visitor-4582', {
    plan: 'student',
    country: 'AT',
    city: 'Vienna',
    appVersion: '7',
    connection: 'slow',
  }),
  visitor('Nobody', '', {}),
];

/** Any of a million; a visitor that a tester has never met. */
export function randomEntityID(): string {
  return `visitor-${Math.floor(Math.random() * 1_000_000)}`;
}
