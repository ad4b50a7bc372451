/** Which flags differ between two states. */
import type { Flag } from '../model.ts';

/** Keys that are in only one of the two, or whose flags differ. */
export function differingKeys(
  before: ReadonlyMap<string, Flag> | undefined,
  after: ReadonlyMap<string, Flag>,
): string[] {
  const gone = before === undefined ? [] : [...before.keys()].filter((key) => !after.has(key));
  const differing = [...after]
    .filter(([key, flag]) => !isSameFlag(before?.get(key), flag))
    .map(([key]) => key);
  return [...gone, ...differing];
}

/** Decoded flags have their fields in one order, so equal text means equal flags. */
function isSameFlag(a: Flag | undefined, b: Flag): boolean {
  return (
    a === b || (a !== undefined && a.snapshotID === b.snapshotID && JSON.stringify(a) === JSON.stringify(b))
  );
}
