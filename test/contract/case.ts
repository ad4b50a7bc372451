/** Promises as plain functions: the same ones run in vitest under Node and in the pages of real browsers. */

export interface Case {
  /** A sentence that states what holds. */
  readonly name: string;
  /** Rejects when it does not. `scope` is new for each case, so that no two share a database. */
  readonly run: (scope: string) => Promise<void>;
}

/** Throws, and shows both sides, when they differ. The order of fields does not count, that of lists and maps does. */
export function same(actual: unknown, expected: unknown): void {
  const [left, right] = [show(actual), show(expected)];
  if (left === right) return;
  throw new Error(`Expected ${right}\nbut it is  ${left}`);
}

/** What the promise rejects with. */
export async function rejection(promise: Promise<unknown>): Promise<{ code?: unknown; message?: unknown }> {
  const outcome = await promise.then(
    (value) => ({ value }),
    (error: unknown) => ({ error }),
  );
  if ('error' in outcome) return outcome.error as object;
  throw new Error(`Expected a rejection, but it is ${show(outcome.value)}`);
}

function show(value: unknown): string {
  const text = JSON.stringify(value, (_, part: unknown) => {
    if (part instanceof Map) return { map: [...part] };
    if (typeof part !== 'object' || part === null || Array.isArray(part)) return part;
    return Object.fromEntries(Object.entries(part).sort(([a], [b]) => (a < b ? -1 : 1)));
  });
  return text ?? String(value);
}
