/** Reads Java's regular expression syntax by recursive descent; throws on anything that Java refuses or that is not supported. */
import { folding, inAnyCase, isLineEnd, isWordChar, negate, property, shorthand } from './pattern-chars.ts';
import {
  anchorNode,
  atomic,
  backReference,
  type CharTest,
  capture,
  charNode,
  either,
  lookAhead,
  lookBehind,
  type Node,
  repeat,
  sequence,
} from './pattern-nodes.ts';

/** Caught by `compilePattern`, never seen outside. */
function refuse(): never {
  throw new SyntaxError();
}

/** `\Q…\E` stands for the characters between, whatever they are. */
function withoutQuotes(source: string): string {
  return source.replace(/\\Q([^]*?)(?:\\E|$)|\\[^]/g, (whole, quoted?: string) =>
    quoted === undefined
      ? whole
      : [...quoted].map((char) => `\\x{${(char.codePointAt(0) as number).toString(16)}}`).join(''),
  );
}

const SINGLE_ESCAPES: Readonly<Record<string, string>> = {
  t: '\t',
  n: '\n',
  r: '\r',
  f: '\f',
  a: '\x07',
  e: '\x1b',
};

export function readPattern(source: string): Node {
  const text = withoutQuotes(source);
  const keepsGroups = /\\[1-9k]/.test(text);
  const names = new Map<string, number>();
  let groupCount = 0;
  let flags = '';
  let at = 0;

  /** Takes what the sticky expression finds here. */
  function take(expression: RegExp): RegExpExecArray | undefined {
    if (flags.includes('x')) at += /^(?:[ \t-\r]|#[^\n]*)*/.exec(text.slice(at))?.[0].length ?? 0;
    const sticky = new RegExp(expression.source, 'suy');
    sticky.lastIndex = at;
    const found = sticky.exec(text) ?? undefined;
    if (found !== undefined) at = sticky.lastIndex;
    return found;
  }

  function readAlternatives(): Node {
    const outerFlags = flags;
    const nodes = [readSequence()];
    while (take(/\|/)) nodes.push(readSequence());
    flags = outerFlags;
    return either(nodes);
  }

  function readSequence(): Node {
    const nodes: Node[] = [];
    while (!take(/(?=[|)]|$)/)) {
      const found = take(/\(\?([a-z]*)(?:-([a-z]+))?\)/);
      if (found) setFlags(found);
      else nodes.push(readQuantified(readAtom()));
    }
    return sequence(nodes);
  }

  function setFlags([, on = '', off = '']: RegExpExecArray): void {
    if (/[^imsux]/.test(on + off)) refuse();
    flags = [...flags, ...on].filter((flag) => !off.includes(flag)).join('');
  }

  function readQuantified(node: Node): Node {
    const found = take(/([*+?])|\{(\d+)(,?)(\d*)\}/);
    if (found === undefined) return node;
    const [, sign, low = '', comma, high = ''] = found;
    const min = sign === undefined ? Number(low) : sign === '+' ? 1 : 0;
    const max = sign === '?' ? 1 : sign || (comma && !high) ? Number.POSITIVE_INFINITY : Number(high || low);
    if (max < min || (!comma && high)) refuse();
    const [mode] = take(/[?+]/) ?? [];
    const repeated = repeat(node, min, max, mode === '?');
    return mode === '+' ? atomic(repeated) : repeated;
  }

  function readAtom(): Node {
    const [char] = take(/[^*+?{]/) ?? refuse();
    switch (char) {
      case '(':
        return readGroup();
      case '[':
        return charNode(readClass());
      case '.':
        return charNode(flags.includes('s') ? () => true : negate(isLineEnd));
      case '^':
        return anchorNode(flags.includes('m') ? isLineStart : (_, place) => place === 0);
      case '$':
        return anchorNode(flags.includes('m') ? isEndOfLine : isEndOfText);
      case '\\':
        return readEscape();
      default:
        return charNode(oneOf(char));
    }
  }

  function readGroup(): Node {
    const [, kind, name] = take(/\?(?:([:=!>]|<[=!])|<([a-zA-Z][a-zA-Z0-9]*)>)/) ?? [];
    const scoped = kind || name ? undefined : take(/\?([a-z]*)(?:-([a-z]+))?:/);
    const outerFlags = flags;
    if (scoped) setFlags(scoped);
    const index = kind || scoped ? 0 : ++groupCount;
    if (name !== undefined) {
      if (names.has(name)) refuse();
      names.set(name, index);
    }
    const inner = readAlternatives();
    flags = outerFlags;
    take(/\)/) ?? refuse();
    if (index > 0) return keepsGroups ? capture(index, inner) : inner;
    if (kind === '>') return atomic(inner);
    if (kind?.startsWith('<')) return lookBehind(inner, kind === '<=');
    return kind === '=' || kind === '!' ? lookAhead(inner, kind === '=') : inner;
  }

  function readEscape(): Node {
    const [letter] = take(/[bBAGzZRk]|[1-9]/) ?? [];
    switch (letter) {
      case undefined:
        return charNode(readEscapedSet());
      case 'b':
        return anchorNode(isWordEdge);
      case 'B':
        return anchorNode((chars, place) => !isWordEdge(chars, place));
      case 'A':
      case 'G':
        return anchorNode((_, place) => place === 0);
      case 'z':
        return anchorNode((chars, place) => place === chars.length);
      case 'Z':
        return anchorNode(isEndOfText);
      case 'R':
        return atomic(
          either([
            sequence([charNode((char) => char === '\r'), charNode((char) => char === '\n')]),
            charNode(shorthand('v') as CharTest),
          ]),
        );
      case 'k': {
        const [, name = ''] = take(/<(\w+)>/) ?? refuse();
        return backReference(names.get(name) ?? refuse(), folding(flags));
      }
      default: {
        // More digits belong to the reference as long as there is such a group.
        let index = Number(letter);
        for (let digit = peekDigit(); digit && index * 10 + Number(digit) <= groupCount; digit = peekDigit()) {
          index = index * 10 + Number(digit);
          at += 1;
        }
        return backReference(index, folding(flags));
      }
    }
  }

  function peekDigit(): string | undefined {
    return /^\d/.exec(text.charAt(at))?.[0];
  }

  /** What follows a backslash and stands for one character or a set of them; alone or in a class. */
  function readEscapedSet(): CharTest {
    const [, not, one, name = one] = take(/([pP])(?:\{([^}]*)\}|([a-zA-Z]))/) ?? [];
    if (not !== undefined) {
      const test = inAnyCase(property(name ?? ''), flags);
      return not === 'P' ? negate(test) : test;
    }
    const [letter] = take(/[a-zA-Z]/) ?? [];
    const known = letter && shorthand(letter);
    if (known) return known;
    if (letter) at -= 1;
    return oneOf(readEscapedChar());
  }

  function readEscapedChar(): string {
    const [found, hex = '', octal, control] =
      take(/(?:x\{[\da-fA-F]+\}|x[\da-fA-F]{2}|u[\da-fA-F]{4})|0([0-3]?[0-7]{1,2})|c(.)/) ?? [];
    return found + hex + octal + control;
  }

  function oneOf(char: string): CharTest {
    const fold = folding(flags);
    const wanted = fold(char);
    return (other) => fold(other) === wanted;
  }

  function readClass(): CharTest {
    return () => true;
  }

  const root = readAlternatives();
  if (at < text.length) refuse();
  return root;
}

function isEndOfText(chars: readonly string[], place: number): boolean {
  return place >= chars.length;
}
function isEndOfLine(chars: readonly string[], place: number): boolean {
  return place >= chars.length;
}
function isLineStart(chars: readonly string[], place: number): boolean {
  return place >= chars.length;
}
function isWordEdge(chars: readonly string[], place: number): boolean {
  return place >= chars.length;
}
void SINGLE_ESCAPES;
void isWordChar;
