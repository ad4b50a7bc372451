/**
 * Java's regular expression syntax in JavaScript's, where the two differ.
 * Refused, by throwing: inline flags other than `(?i)`, `(?m)`, `(?s)` at the start, `&&` and classes within classes, complements
 * such as `\H` within a class, and escapes that are neither JavaScript's nor in the tables here.
 * Known to differ: `(?i)` also covers letters beyond ASCII; a reference to a group that took no part matches the empty text.
 */

const LINE_END = '\\n\\r\\x85\\u2028\\u2029';
const SPACE = ' \\t-\\r';
const LETTER = 'a-zA-Z';

/** Java's own classes by what follows the backslash, as the inside of a JavaScript class. */
const CLASSES = new Map([
  ['s', SPACE],
  ['h', ' \\t\\xA0\\u1680\\u180e\\u2000-\\u200a\\u202f\\u205f\\u3000'],
  ['v', '\\n-\\r\\x85\\u2028\\u2029'],
  ['p{Lower}', 'a-z'],
  ['p{Upper}', 'A-Z'],
  ['p{Alpha}', LETTER],
  ['p{Digit}', '0-9'],
  ['p{Alnum}', `${LETTER}0-9`],
  ['p{XDigit}', '\\da-fA-F'],
  ['p{Punct}', '!-\\/:-@\\[-`\\{-~'],
  ['p{Graph}', '!-~'],
  ['p{Print}', ' -~'],
  ['p{Blank}', ' \\t'],
  ['p{Cntrl}', '\\0-\\x1f\\x7f'],
  ['p{ASCII}', '\\0-\\x7f'],
  ['p{Space}', SPACE],
]);

/** The end, or before the line end that is last in the text. */
const LAST_LINE_END = `(?=(?:\\r\\n|[${LINE_END}])?$)`;

const OTHER_ESCAPES = new Map([
  ['A', '^'],
  ['G', '^'],
  ['z', '$'],
  ['Z', LAST_LINE_END],
  ['R', `(?:\\r\\n|[\\v\\f${LINE_END}])`],
  ['a', '\\x07'],
  ['e', '\\x1b'],
]);

const ESCAPE = String.raw`\\(0[0-7]{1,3}|x\{[^}]+\}|[pP](?:\{[^}]*\}|\w)|[^])`;

/** Where a class stands whole; what opens a group; a quantifier with its mode; any other character alone. */
const TOKEN = new RegExp(
  String.raw`${ESCAPE}|\[(\^?\]?(?:\\[^]|[^\]\\])*)\]|\((\?(?:<([a-zA-Z]\w*)>|<?[=!]|[:>]))?|([*+?]|\{\d+,?\d*\})([+?]?)|[^]`,
  'gu',
);

const CLASS_TOKEN = new RegExp(`${ESCAPE}(-(?!$))?|\\[|&&`, 'gu');

/** Matches exactly the whole texts that the pattern matches in Java. */
export function translatePattern(source: string): RegExp {
  const [leading = '', flags = ''] = /^\(\?([ims]+)\)/.exec(source) ?? [];
  const names = [''];
  /** Translated atoms in a row; a group becomes one atom when it closes. */
  const atoms: string[] = [];
  const groupStarts: number[] = [];
  let atomicCount = 0;

  /** What has matched once is not tried another way: JavaScript's lookaheads are like that. */
  const atomic = (atom: string): string => {
    atomicCount += 1;
    return `(?:(?=(?<_a${atomicCount}>${atom}))\\k<_a${atomicCount}>)`;
  };

  const closeGroup = (): string => {
    const [opening = '', ...inner] = atoms.splice(groupStarts.pop() ?? refuse());
    return opening === '(?>' ? atomic(inner.join('')) : `${opening}${inner.join('')})`;
  };

  const openGroup = (kind: string | undefined, name = `_${names.length}`): string => {
    groupStarts.push(atoms.length);
    if (kind && !kind.endsWith(`<${name}>`)) return `(${kind}`;
    names.push(name);
    // Every group has a name, so that the ones added for `atomic` shift no numbers.
    return `(?<${name}>`;
  };

  for (const [token, escape, inside, kind, name, quantifier, mode] of unquoted(
    source.slice(leading.length),
  ).matchAll(TOKEN)) {
    if (quantifier) {
      const atom = atoms.pop() + token;
      atoms.push(mode === '+' ? atomic(atom.slice(0, -1)) : atom);
    } else if (escape) {
      const name = /[1-9]/.test(escape) && names[Number(escape)];
      atoms.push(name ? `\\k<${name}>` : translateEscape(escape));
    } else if (inside !== undefined) atoms.push(translateClass(inside));
    else if (token[0] === '(') atoms.push(openGroup(kind, name));
    else if (token === ')') atoms.push(closeGroup());
    else atoms.push(translateSign(token, flags));
  }
  return new RegExp(`^(?:${atoms.join('')})$`, flags.includes('i') ? 'iu' : 'u');
}

function refuse(): never {
  throw new SyntaxError('not a pattern');
}

/** `\Q…\E` stands for the characters between, whatever they are. */
function unquoted(source: string): string {
  return source.replace(/\\Q([^]*?)(?:\\E|$)|\\[^]/g, (token, quoted?: string) =>
    quoted === undefined ? token : [...quoted].map(literal).join(''),
  );
}

function literal(char: string): string {
  return `\\u{${char.codePointAt(0)?.toString(16)}}`;
}

function translateSign(sign: string, flags: string): string {
  const isMultiline = flags.includes('m');
  switch (sign) {
    case '.':
      return flags.includes('s') ? '[^]' : `[^${LINE_END}]`;
    case '^':
      return isMultiline ? `(?<=^|[${LINE_END}])(?!$)` : '^';
    case '$':
      return isMultiline ? `(?=[${LINE_END}]|$)` : LAST_LINE_END;
    case ']':
    case '}':
      return literal(sign);
    default:
      return sign;
  }
}

/** What follows a backslash outside a class. */
function translateEscape(escape: string): string {
  const members = CLASSES.get(escape);
  if (members !== undefined) return `[${members}]`;
  const others = CLASSES.get(escape.charAt(0).toLowerCase() + escape.slice(1));
  if (others !== undefined) return `[^${others}]`;
  return OTHER_ESCAPES.get(escape) ?? translateChar(escape);
}

/** An escape that is the same in a class and outside: JavaScript's own, or one character in Java's spelling. */
function translateChar(escape: string): string {
  const [, octal, hex] = /^0(.+)|x\{(.+)\}/.exec(escape) ?? [];
  if (octal) return `\\u{${Number.parseInt(octal, 8).toString(16)}}`;
  if (hex) return `\\u{${hex}}`;
  return /^[a-z\d]/i.test(escape) ? `\\${escape}`.replace(/^(\\p)(\w)$/i, '$1{$2}') : literal(escape);
}

/** What stands between `[` and `]`. A `]` that comes first, and a `-` after a set, are characters. */
function translateClass(inside: string): string {
  const body = inside.replace(/^(\^?)\]/, '$1\\]').replace(CLASS_TOKEN, (_, escape?: string, dash = '') => {
    if (!escape) return refuse();
    const members = CLASSES.get(escape);
    if (!members && /^[HVP]/.test(escape)) refuse();
    const isSet = members || /^[dDwWSp]/.test(escape);
    return (members ?? translateChar(escape)) + (isSet && dash ? '\\-' : dash);
  });
  return `[${body}]`;
}
