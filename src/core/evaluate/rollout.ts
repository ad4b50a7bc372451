/** Which of 1000 buckets an entity falls into, and which variant that means. The same everywhere Flagent's rule is followed. */
import type { Distribution } from '../model.ts';

const BUCKETS = 1000;

/** Checksums of the 256 bytes: IEEE CRC-32, polynomial 0xEDB88320. */
const CRC_OF_BYTE = Int32Array.from({ length: 256 }, (_, byte) => {
  let crc = byte;
  for (let bit = 0; bit < 8; bit += 1) crc = (crc >>> 1) ^ (crc & 1 ? 0xedb88320 : 0);
  return crc;
});

/**
 * CRC-32 of the text as UTF-8, 0 to 2^32 − 1.
 * Half of a surrogate pair counts as `?`, which is what the server's JVM makes of it.
 */
export function crc32(text: string): number {
  let crc = -1;
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
  return (crc ^ -1) >>> 0;
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

/** 0 to 999. The flag's id is the salt, in decimal, with nothing between it and the entity's id. */
export function bucketOf(flagID: number, entityID: string): number {
  return crc32(`${flagID}${entityID}`) % BUCKETS;
}

/**
 * The distribution that an entity gets, or `undefined` when the rollout leaves it out.
 * The threshold cuts across all distributions: at 50 % only those in the lower 500 buckets are ever served.
 * `distributions` stand in the order of `byPercent`; when they add up to less than 100, the last one takes the rest.
 */
export function chooseDistribution(
  flagID: number,
  entityID: string,
  rolloutPercent: number,
  distributions: readonly Distribution[],
): Distribution | undefined {
  if (entityID === '' || rolloutPercent <= 0) return undefined;
  const bucket = bucketOf(flagID, entityID);
  if (rolloutPercent < 100 && bucket >= rolloutPercent * 10) return undefined;
  let end = 0;
  for (const distribution of distributions) {
    end += distribution.percent * 10;
    if (bucket < end) return distribution;
  }
  return distributions.at(-1);
}

/** Slices are laid out from the smallest share to the largest; equal shares keep the server's order. */
export function byPercent(distributions: readonly Distribution[]): Distribution[] {
  return distributions.toSorted((a, b) => a.percent - b.percent);
}
