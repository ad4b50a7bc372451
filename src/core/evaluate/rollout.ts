/** Which of 1000 buckets an entity falls into, and which share that means. The same everywhere Flagent's rule is followed. */

const BUCKETS = 1000;

/** Checksums of the 256 bytes: IEEE CRC-32, polynomial 0xEDB88320. */
const CRC_OF_BYTE = Int32Array.from({ length: 256 }, (_, byte) => {
  let crc = byte;
  for (let bit = 0; bit < 8; bit += 1) crc = (crc >>> 1) ^ (crc & 1 ? 0xedb88320 : 0);
  return crc;
});

/** The checksum of what comes before the entity's id, not yet finished. */
export type Salt = number;

/** The flag's id in decimal, with nothing between it and the entity's id. */
export function saltOf(flagID: number): Salt {
  return addText(-1, String(flagID));
}

/** 0 to 999. */
export function bucketOf(salt: Salt, entityID: string): number {
  return finish(addText(salt, entityID)) % BUCKETS;
}

/**
 * CRC-32 of the text as UTF-8, 0 to 2^32 − 1.
 * Half of a surrogate pair counts as `?`, which is what the server's JVM makes of it.
 */
export function crc32(text: string): number {
  return finish(addText(-1, text));
}

function finish(crc: number): number {
  return ~crc >>> 0;
}

function addText(before: number, text: string): number {
  let crc = before;
  for (let index = 0; index < text.length; index += 1) {
    const unit = text.charCodeAt(index);
    if (unit < 0x80) {
      crc = addByte(crc, unit);
      continue;
    }
    const point = text.codePointAt(index) as number;
    if (point > 0xffff) index += 1;
    crc = addPoint(crc, point);
  }
  return crc;
}

function addByte(crc: number, byte: number): number {
  return (CRC_OF_BYTE[(crc ^ byte) & 0xff] as number) ^ (crc >>> 8);
}

/** Adds a code point from U+0080 as two to four bytes. */
function addPoint(crc: number, point: number): number {
  if (point >= 0xd800 && point <= 0xdfff) return addByte(crc, 0x3f);
  const tail = (shift: number): number => 0x80 | ((point >> shift) & 0x3f);
  if (point < 0x800) return addByte(addByte(crc, 0xc0 | (point >> 6)), tail(0));
  const head =
    point < 0x10000
      ? addByte(crc, 0xe0 | (point >> 12))
      : addByte(addByte(crc, 0xf0 | (point >> 18)), tail(12));
  return addByte(addByte(head, tail(6)), tail(0));
}

/**
 * The share that an entity of this bucket gets, or `undefined` when the rollout leaves it out.
 * The threshold cuts across all shares: at 50 % only those in the lower 500 buckets are ever served.
 * When the shares add up to less than 100 %, the last one takes the rest.
 */
export function chooseShare<S extends { readonly end: number }>(
  shares: readonly S[],
  bucket: number,
  rolloutPercent: number,
): S | undefined {
  if (rolloutPercent < 100 && bucket >= rolloutPercent * 10) return undefined;
  for (const share of shares) if (bucket < share.end) return share;
  return shares.at(-1);
}
