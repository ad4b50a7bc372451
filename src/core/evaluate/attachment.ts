/** The attachment of a variant is texts by name; these read them as what they stand for. */
import type { Attachment } from '../flag-types.ts';

/** Why a value is what it is. Everything but `FOUND` means the default. */
export type AttachmentReason =
  | 'FOUND'
  /** The evaluation gave no variant; its own `reason` says why. */
  | 'NO_VARIANT'
  /** The variant has no attachment of that name. */
  | 'MISSING'
  /** There is a text, and it is not of the kind that was asked for. */
  | 'WRONG_TYPE';

export interface AttachmentValue<T> {
  readonly value: T;
  readonly reason: AttachmentReason;
  /** The text in the attachment, when there is one: what `WRONG_TYPE` is about. */
  readonly text?: string;
}

/** Each getter gives the default, and says why, when the text is missing or of another kind. None throws. */
export interface AttachmentReader<Name extends string = string> {
  string<T extends string>(name: Name, fallback: T): AttachmentValue<T | string>;
  /** A finite number as JSON writes it: `1.5`, `-3`, `1e6`. */
  number(name: Name, fallback: number): AttachmentValue<number>;
  /** `true` or `false`. */
  boolean(name: Name, fallback: boolean): AttachmentValue<boolean>;
  /** Any JSON that `isWanted` accepts. */
  json<T>(name: Name, fallback: T, isWanted: (value: unknown) => value is T): AttachmentValue<T>;
}

/**
 * Reads the attachment of the variant that an evaluation has chosen.
 *
 * @example
 * const { value, reason } = readAttachment(flags.evaluateNow({ flagKey: 'limits' })).number('max_items', 20)
 */
export function readAttachment<A extends object = Attachment>(result: {
  readonly variantID: number | null;
  readonly variantAttachment: A | null;
}): AttachmentReader<NameIn<A>> {
  const attachment = (result.variantAttachment ?? {}) as Readonly<Record<string, unknown>>;

  const read = <T>(
    name: string,
    fallback: T,
    parse: (text: string) => T | typeof WRONG,
  ): AttachmentValue<T> => {
    const text = Object.hasOwn(attachment, name) ? attachment[name] : undefined;
    if (result.variantID === null) return { value: fallback, reason: 'NO_VARIANT' };
    if (typeof text !== 'string') return { value: fallback, reason: 'MISSING' };
    const value = parse(text);
    return value === WRONG
      ? { value: fallback, reason: 'WRONG_TYPE', text }
      : { value: value as T, reason: 'FOUND', text };
  };

  return {
    string: (name, fallback) => read<string>(name, fallback, (text) => text),
    number: (name, fallback) => read(name, fallback, (text) => parseAs(text, isNumber)),
    boolean: (name, fallback) => read(name, fallback, (text) => parseAs(text, isBoolean)),
    json: (name, fallback, isWanted) => read(name, fallback, (text) => parseAs(text, isWanted)),
  };
}

/** A name that at least one of several attachments has: where it is missing, there is the default. */
type NameIn<A> = A extends unknown ? keyof A & string : never;

const WRONG = Symbol();

/** A check that throws has not said yes. */
function parseAs<T>(text: string, isWanted: (value: unknown) => value is T): T | typeof WRONG {
  try {
    const value: unknown = JSON.parse(text);
    return isWanted(value) ? value : WRONG;
  } catch {
    return WRONG;
  }
}

function isNumber(value: unknown): value is number {
  return Number.isFinite(value);
}

function isBoolean(value: unknown): value is boolean {
  return typeof value === 'boolean';
}
