/** Small readers that turn `unknown` into a typed value or say at which path it is not one. Decoders are built from these. */
import { FlagError, type Result } from '../errors.ts';

export type Json = { readonly [name: string]: unknown };

/** Runs a decoder; its `FlagError` becomes data. */
export function attempt<T>(decode: () => T): Result<T> {
  try {
    return { ok: true, value: decode() };
  } catch (error) {
    if (error instanceof FlagError) return { ok: false, error };
    throw error;
  }
}

export function fail(path: string, expected: string, got: unknown): never {
  throw new FlagError('invalid_data', `${path} must be ${expected}, but is ${describe(got)}.`, { path });
}

function describe(value: unknown): string {
  if (value === undefined) return 'missing';
  // What is inside may be nested deeper than the stack; the path says enough.
  if (Array.isArray(value)) return 'a list';
  if (typeof value === 'object' && value !== null) return 'an object';
  const text = JSON.stringify(value) ?? String(value);
  return text.length > 60 ? `${text.slice(0, 60)}…` : text;
}

/** Parses JSON and checks the length first, so that a huge text costs nothing. */
export function readJson(text: string, path: string, maxLength: number): unknown {
  if (text.length > maxLength) {
    throw new FlagError(
      'too_large',
      `${path} has ${text.length} characters; the limit is ${maxLength}. Narrow the filter or split the flags.`,
      { path },
    );
  }
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new FlagError('invalid_data', `${path} is not JSON: ${(cause as Error).message}.`, { path, cause });
  }
}

export function readObject(value: unknown, path: string): Json {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) fail(path, 'an object', value);
  return value as Json;
}

/** A list; absent or null is an empty one, as Flagent leaves lists out in places. */
export function readList<T>(
  value: unknown,
  path: string,
  readItem: (item: unknown, path: string) => T,
  maxItems: number = Number.MAX_SAFE_INTEGER,
): T[] {
  if (value === undefined || value === null) return [];
  if (!Array.isArray(value)) fail(path, 'a list', value);
  if (value.length > maxItems) {
    throw new FlagError('too_large', `${path} has ${value.length} items; the limit is ${maxItems}.`, {
      path,
    });
  }
  return value.map((item, index) => readItem(item, `${path}[${index}]`));
}

export function readString(value: unknown, path: string): string {
  if (typeof value !== 'string') fail(path, 'a string', value);
  return value;
}

export function readKey(value: unknown, path: string, maxLength: number): string {
  const key = readString(value, path);
  if (key === '' || key.length > maxLength) fail(path, `a string of 1 to ${maxLength} characters`, value);
  return key;
}

export function readBoolean(value: unknown, path: string): boolean {
  if (typeof value !== 'boolean') fail(path, 'true or false', value);
  return value;
}

/** A whole number from 0 to 2^53 − 1. */
export function readCount(value: unknown, path: string): number {
  if (!Number.isSafeInteger(value) || (value as number) < 0) fail(path, 'a whole number from 0', value);
  return value as number;
}

export function readNumber(value: unknown, path: string): number {
  if (typeof value !== 'number' || !Number.isFinite(value)) fail(path, 'a finite number', value);
  return value;
}

/** `absent` when the value is undefined or null, else what `read` makes of it. */
export function readOptional<T, A>(
  value: unknown,
  path: string,
  absent: A,
  read: (value: unknown, path: string) => T,
): T | A {
  return value === undefined || value === null ? absent : read(value, path);
}
