/** Who looks at the shop: the entities that flags are evaluated for. The choice belongs to the tab, so two tabs can compare two visitors. */

export interface Visitor {
  readonly name: string;
  readonly entity: {
    readonly entityID: string;
    readonly entityType: 'visitor';
    readonly entityContext: Readonly<Record<string, string>>;
  };
}

function visitor(name: string, entityID: string, entityContext: Readonly<Record<string, string>>): Visitor {
  return { name, entity: { entityID, entityType: 'visitor', entityContext } };
}

export const VISITORS: readonly [Visitor, ...Visitor[]] = [
  visitor('Premium, Berlin', 'visitor-1041', {
    country: 'DE',
    city: 'Berlin',
    plan: 'premium',
    appVersion: '8',
    connection: 'fast',
  }),
  visitor('Free plan, New York', 'visitor-2207', {
    country: 'US',
    city: 'New York',
    plan: 'free',
    appVersion: '6',
    connection: 'fast',
  }),
  visitor('Beta tester, Paris', 'visitor-3318', {
    country: 'FR',
    city: 'Paris',
    plan: 'free',
    beta: 'yes',
    appVersion: '9',
    connection: 'slow',
  }),
  visitor('Student, Vienna', 'visitor-4582', {
    country: 'AT',
    city: 'Vienna',
    plan: 'student',
    appVersion: '7',
    connection: 'slow',
  }),
];

const CHOICE = 'visitor';

export function chosenVisitor(): Visitor {
  const id = sessionStorage.getItem(CHOICE);
  return VISITORS.find(({ entity }) => entity.entityID === id) ?? VISITORS[0];
}

export function chooseVisitor(id: string): void {
  sessionStorage.setItem(CHOICE, id);
}
