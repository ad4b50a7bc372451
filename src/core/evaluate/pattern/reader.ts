/** Reads the source of a pattern: quotes are resolved, blanks and comments are skipped while `(?x)` holds. */

import { refuse } from './refusal.ts';

export interface Reader {
  /** Inline flags that hold here, a letter each. */
  flags: string;
  /** Index of the next character. A character is a code point; half a surrogate pair is one too. */
  at: number;
  /** Groups and classes open here. */
  depth: number;
  has(flag: string): boolean;
  /** The character there, even if it is a blank; empty beyond the end. */
  raw(offset: number): string;
  /** The next character that counts. */
  peek(): string;
  /** The same, and goes past it. */
  read(): string;
  /** All that is left. */
  rest(): string;
}

/** Groups and classes within each other; a deeper pattern is unsupported. */
export const MAX_DEPTH = 200;

/** Reads what may contain itself. */
export function readNested<T>(reader: Reader, read: () => T): T {
  reader.depth += 1;
  if (reader.depth > MAX_DEPTH) refuse('unsupported');
  const inside = read();
  reader.depth -= 1;
  return inside;
}

export function readerOf(source: string): Reader {
  const chars = [...unquoted(source)];
  const reader: Reader = {
    flags: '',
    at: 0,
    depth: 0,
    has: (flag) => reader.flags.includes(flag),
    raw: (offset) => chars[reader.at + offset] ?? '',
    peek() {
      if (reader.has('x')) skipBlanks(reader);
      return reader.raw(0);
    },
    read() {
      const char = reader.peek();
      reader.at += 1;
      return char;
    },
    rest: () => chars.slice(reader.at).join(''),
  };
  return reader;
}

function skipBlanks(reader: Reader): void {
  for (;;) {
    const char = reader.raw(0);
    if (char === '#') {
      const end = reader.has('d') ? /^(|\n)$/ : /^(|[\n\r\x85\u2028\u2029])$/;
      while (!end.test(reader.raw(0))) reader.at += 1;
    } else if (/[\t-\r ]/.test(char)) reader.at += 1;
    else return;
  }
}

/**
 * `\Q…\E` stands for the characters between, whatever they are. The first may be a digit, and must not become part of an escape
 * before the quote.
 */
function unquoted(source: string): string {
  return source.replace(/\\Q(.*?)(?:\\E|$)|\\./gs, (token, quoted?: string) =>
    quoted === undefined ? token : quoted.replace(/[^\w\x80-\uffff]|_/g, '\\$&').replace(/^\d/, '\\x3$&'),
  );
}
