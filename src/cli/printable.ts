/** Text from outside on its way to a terminal: no control characters, which could move the cursor or forge a line. */

/** In quotes and escaped when it holds anything but visible characters and inner spaces. */
export function printable(text: string): string {
  return text !== '' && text.trim() === text && !/[\p{C}\p{Zl}\p{Zp}]/u.test(text) ? text : quoted(text);
}

/** In quotes, with all but visible characters and spaces escaped, as TypeScript reads it. */
export function quoted(text: string): string {
  return JSON.stringify(text).replaceAll(/[\p{C}\p{Zl}\p{Zp}]/gu, escaped);
}

/** `1 flag`, `2 flags`. */
export function counted(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? '' : 's'}`;
}

/** Line breaks become spaces, other control characters are escaped. */
export function oneLine(text: string): string {
  return text
    .trim()
    .replaceAll(/\s*[\r\n\u2028\u2029]+\s*/g, ' ')
    .replaceAll(/\p{C}/gu, escaped);
}

function escaped(character: string): string {
  return `\\u{${character.codePointAt(0)?.toString(16)}}`;
}
