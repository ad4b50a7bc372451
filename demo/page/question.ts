/** What the panel asks: as whom, and which flag. It belongs to the tab, so two tabs can compare two entities, and a reload keeps it. */
import type { Entity } from 'flagent-offline';

export interface Whom {
  /** Blank: nobody. */
  readonly entityID: string;
  /** Blank: the flag's own. */
  readonly entityType: string;
  readonly context: readonly ContextRow[];
}

export interface ContextRow {
  readonly property: string;
  readonly value: string;
}

export interface Question {
  readonly whom: Whom;
  /** `null`: all flags. */
  readonly flagKey: string | null;
}

/** Rows without a property are not finished; of two rows with one property, the later counts. */
export function entityOf({ entityID, entityType, context }: Whom): Entity {
  const rows = context.filter(({ property }) => property !== '');
  return {
    entityID,
    ...(entityType !== '' && { entityType }),
    entityContext: Object.fromEntries(rows.map(({ property, value }) => [property, value])),
  };
}

const KEPT = 'question';

export function recallQuestion(otherwise: Question): Question {
  try {
    return decodeQuestion(JSON.parse(sessionStorage.getItem(KEPT) ?? 'null')) ?? otherwise;
  } catch {
    return otherwise;
  }
}

/** Where nothing can be kept, or not that much, a reload begins anew. */
export function keepQuestion(question: Question): void {
  try {
    sessionStorage.setItem(KEPT, JSON.stringify(question));
  } catch {}
}

function decodeQuestion(json: unknown): Question | undefined {
  if (!isRecord(json) || !isRecord(json.whom)) return undefined;
  const { flagKey } = json;
  const { entityID, entityType, context } = json.whom;
  if (typeof flagKey !== 'string' && flagKey !== null) return undefined;
  if (typeof entityID !== 'string' || typeof entityType !== 'string') return undefined;
  if (!Array.isArray(context) || !context.every(isContextRow)) return undefined;
  return { whom: { entityID, entityType, context }, flagKey };
}

function isContextRow(json: unknown): json is ContextRow {
  return isRecord(json) && typeof json.property === 'string' && typeof json.value === 'string';
}

function isRecord(json: unknown): json is Readonly<Record<string, unknown>> {
  return typeof json === 'object' && json !== null;
}
