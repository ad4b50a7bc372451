/**
 * Java's regular expression syntax in JavaScript's, where the two differ and flags are likely to use it.
 * Refused, by throwing: inline flags other than a leading `(?i)`, `(?s)` or both, `&&` and classes within classes, complements
 * such as `\H` within a class, back references beside atomic groups, and escapes that are neither JavaScript's nor in the table.
 * Known to differ: `(?i)` also covers letters beyond ASCII, U+0085 ends no line, `$` is the very end, and a reference to a group
 * that took no part matches the empty text.
 */

const SPACE = ' \\t-\\r';

/** Java's own classes by what follows the backslash, as the inside of a JavaScript class. */
const CLASSES = new Map([
  ['s', SPACE],
  ['h', ' \\t\\xA0\\u1680\\u180e\\u2000-\\u200a\\u202f\\u205f\\u3000'],
  ['v', '\\n-\\r\\x85\\u2028\\u2029'],
  ['p{Lower}', 'a-z'],
  ['p{Upper}', 'A-Z'],
  ['p{Alpha}', 'a-zA-Z'],
  ['p{Digit}', '0-9'],
  ['p{Alnum}', 'a-zA-Z0-9'],
  ['p{XDigit}', '0-9a-fA-F'],
  ['p{Punct}', '!-\\/:-@\\[-`\\{-~'],
  ['p{Space}', SPACE],
]);

/** An escape; a class with what stands inside; what opens a group; a quantifier, maybe possessive; any other character alone. */
const TOKEN =
  /\\([pPx]\{.*?\}|.)|\[(\^?\]?(?:\\.|[^\]\\])*)\]|\((?:\?(?:<?[=!]|[:>]))?|([*+?]|\{\d+,?\d*\})(?:\?|(\+))?|./gsu;

const CLASS_TOKEN = /\\([pPx]\{.*?\}|.)(-(?!$))?|\[|&&/gsu;

/** Matches exactly the whole texts that the pattern matches in Java. */
export function translatePattern(source: string): RegExp {
  const [leading = '', flags = ''] = /^\(\?([is]+)\)/.exec(source) ?? [];
  /** Translated atoms in a row; a group becomes one atom when it closes. */
  const atoms: string[] = [];
  const groupStarts: number[] = [];
  let atomicCount = 0;

  /** What has matched once is not tried another way: JavaScript's lookaheads are like that. */
  const atomic = (atom: string): string => {
    atomicCount += 1;
    return `(?:(?=(?<_${atomicCount}>${atom}))\\k<_${atomicCount}>)`;
  };

  const closeGroup = (): string => {
    const [opening = '', ...inner] = atoms.splice(groupStarts.pop() ?? refuse());
    const body = inner.join('');
    return opening === '(?>' ? atomic(body) : `${opening + body})`;
  };

  for (const [token, escaped, inside, quantifier, possessive] of unquoted(
    source.slice(leading.length),
  ).matchAll(TOKEN)) {
    if (token.startsWith('(')) groupStarts.push(atoms.length);
    const atom = quantifier ? (atoms.pop() ?? refuse()) + token : '';
    if (possessive) atoms.push(atomic(atom.slice(0, -1)));
    else if (escaped) atoms.push(translateEscape(escaped));
    else if (inside !== undefined) atoms.push(translateClass(inside));
    else if (token === ')') atoms.push(closeGroup());
    else atoms.push(atom || (/[\]}]/.test(token) ? `\\${token}` : token));
  }
  // A group added for `atomic` would shift the numbers.
  if (atomicCount > 0 && /\\[1-9]/.test(source)) refuse();
  return new RegExp(`^(?:${atoms.join('')})$`, `u${flags}`);
}

function refuse(): never {
  throw new SyntaxError('not a pattern');
}

/** `\Q…\E` stands for the characters between, whatever they are. */
function unquoted(source: string): string {
  return source.replace(/\\Q(.*?)(?:\\E|$)|\\./gs, (token, quoted?: string) =>
    quoted === undefined ? token : quoted.replace(/\W/g, '\\$&'),
  );
}

/** What follows a backslash outside a class. */
function translateEscape(escaped: string): string {
  const members = CLASSES.get(escaped);
  if (members !== undefined) return `[${members}]`;
  const others = othersThan(escaped);
  if (others !== undefined) return `[^${others}]`;
  if (/^[AG]$/.test(escaped)) return '^';
  return /^[zZ]$/.test(escaped) ? '$' : translateChar(escaped);
}

/** What `\S`, `\H`, `\P{Alpha}` leave out. */
function othersThan(escaped: string): string | undefined {
  return CLASSES.get(escaped.charAt(0).toLowerCase() + escaped.slice(1));
}

/** The same in a class and outside: JavaScript's own escapes, `\x{…}`, and any sign as itself. */
function translateChar(escaped: string): string {
  if (escaped.startsWith('x{')) return `\\u${escaped.slice(1)}`;
  if (escaped === '-') return '\\x2d';
  return /^[a-z\d^$\\.*+?()[\]{}|/]/i.test(escaped) ? `\\${escaped}` : escaped;
}

/** What stands between `[` and `]`. A `]` that comes first, and a `-` after a set, are characters. */
function translateClass(inside: string): string {
  const body = inside
    .replace(/^(\^?)\]/, '$1\\]')
    .replace(CLASS_TOKEN, (_, escaped = refuse(), dash = '') => {
      const members = CLASSES.get(escaped);
      // A complement cannot stand inside; JavaScript's own `\S` comes close enough.
      if (members === undefined && escaped !== 'S' && othersThan(escaped) !== undefined) refuse();
      const isSet = members !== undefined || /^[dDwWSpP]/.test(escaped);
      return (members ?? translateChar(escaped)) + (isSet ? dash.replace('-', '\\-') : dash);
    });
  return `[${body}]`;
}
