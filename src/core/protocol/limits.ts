/** Limits at the door, one table for both sides of the wire. Over a limit the input is refused with `too_large`; nothing held is lost. */
export const LIMITS = {
  /** UTF-16 units of the data of one event, and of one stored snapshot. */
  eventLength: 8 * 1024 * 1024,
  /** Flags in one snapshot. */
  flags: 100_000,
  /** Changes in one batch event. */
  batchChanges: 10_000,
  /** Characters of a flag key, variant key or tag. Flagent allows 63; older data may have more. */
  keyLength: 256,
  /** Names in one filter, all kinds together. */
  filterNames: 1_000,
} as const;
