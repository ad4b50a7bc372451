/** The twelve constraint operators as a table: the constraint's value in, a test of the context's text out. */
import type { ConstraintOperator } from '../model.ts';
import type { CompilePattern } from './pattern-contract.ts';
import { parseDouble, trim } from './text.ts';

export type TextTest = (text: string) => boolean;

/** What an operator makes of a constraint's value; done once per constraint. */
type Operator = (value: string, compilePattern: CompilePattern) => TextTest;

const equals: Operator = (value) => (text) => text === value;

const contains: Operator = (value) => (text) => text.includes(value);

/** A comma separated list; its items are trimmed, the text is not. */
const isIn: Operator = (value) => {
  const items = new Set(value.split(',').map((item) => trim(item)));
  return (text) => items.has(text);
};

/** The whole text must match, or must not. A pattern that cannot decide holds neither way. */
function matches(wanted: boolean): Operator {
  return (value, compilePattern) => {
    const pattern = compilePattern(value);
    return (text) => pattern.test(text) === wanted;
  };
}

const never: TextTest = () => false;

/** Numbers, or no match. */
function compares(compare: (a: number, b: number) => boolean): Operator {
  return (value) => {
    const limit = parseDouble(value);
    return (text) => compare(parseDouble(text), limit);
  };
}

function not(operator: Operator): Operator {
  return (value, compilePattern) => {
    const test = operator(value, compilePattern);
    return (text) => !test(text);
  };
}

/** Complete by type: a new operator does not compile until it has its row. */
const OPERATORS: Readonly<Record<ConstraintOperator, Operator>> = {
  EQ: equals,
  NEQ: not(equals),
  LT: compares((a, b) => a < b),
  LTE: compares((a, b) => a <= b),
  GT: compares((a, b) => a > b),
  GTE: compares((a, b) => a >= b),
  EREG: matches(true),
  NEREG: matches(false),
  IN: isIn,
  NOTIN: not(isIn),
  CONTAINS: contains,
  NOTCONTAINS: not(contains),
};

/** An operator that is not known here never matches. */
export function compileOperator(operator: string, value: string, compilePattern: CompilePattern): TextTest {
  return Object.hasOwn(OPERATORS, operator)
    ? OPERATORS[operator as ConstraintOperator](value, compilePattern)
    : never;
}
