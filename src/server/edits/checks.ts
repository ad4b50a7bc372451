/** The rules that a flag must keep, one function each; every way in (REST, import) uses the same ones. */
import { CONSTRAINT_OPERATORS } from '../../core/model.ts';
import { fail, readString } from '../../core/protocol/read.ts';

/** Flagent's limits for keys of flags and variants, and for tags. */
const KEY = /^[\w\-/.:]{1,63}$/;
const TAG = /^(?=.*\S)[\w\-/.: ]{1,63}$/;

export function checkKey(value: unknown, path: string): string {
  const key = readString(value, path);
  return KEY.test(key) ? key : fail(path, '1 to 63 letters, digits or any of _ - / . :', value);
}

export function checkTag(value: unknown, path: string): string {
  const tag = readString(value, path);
  return TAG.test(tag) ? tag : fail(path, '1 to 63 letters, digits, spaces or any of _ - / . :', value);
}

export function checkPercent(value: unknown, path: string): number {
  const isPercent = Number.isInteger(value) && Number(value) >= 0 && Number(value) <= 100;
  return isPercent ? Number(value) : fail(path, 'a whole percent from 0 to 100', value);
}

export function checkOperator(value: unknown, path: string): string {
  const operator = CONSTRAINT_OPERATORS.find((known) => known === value);
  return operator ?? fail(path, `one of ${CONSTRAINT_OPERATORS.join(' ')}`, value);
}

export function checkFilled(value: unknown, path: string): string {
  const text = readString(value, path);
  return text === '' ? fail(path, 'a text that is not empty', value) : text;
}

/** Distributions of one segment: each variant once, all percents together 100. */
export function checkShares(
  shares: readonly { readonly variantID: number; readonly percent: number }[],
  path: string,
): void {
  const sum = shares.reduce((total, { percent }) => total + percent, 0);
  if (sum !== 100) fail(path, 'a list whose percents add up to 100', sum);
  const variants = shares.map(({ variantID }) => variantID);
  if (new Set(variants).size < variants.length) fail(path, 'a list with each variant once', variants);
}
