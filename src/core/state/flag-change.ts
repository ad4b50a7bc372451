/** One flag as a subscriber sees it change: made from two states, whatever brought the newer one. */
import type { ChangeType, Flag } from '../model.ts';

export interface FlagChange {
  readonly flagKey: string;
  /** `undefined` when the flag is gone. */
  readonly flag: Flag | undefined;
  /** The flag before; `undefined` when it is new. */
  readonly previous: Flag | undefined;
  /** The kind of the latest edit; `undefined` when the flag changed by a snapshot. */
  readonly type: ChangeType | undefined;
  readonly revision: number;
}

export interface TwoStates {
  readonly before: ReadonlyMap<string, Flag>;
  readonly after: ReadonlyMap<string, Flag>;
  /** The latest edit of each flag, as far as it is known. */
  readonly types: ReadonlyMap<string, ChangeType>;
  readonly revision: number;
}

/** One change per key, in the order of the keys. */
export function changesOf(
  keys: Iterable<string>,
  { before, after, types, revision }: TwoStates,
): FlagChange[] {
  return [...keys].map((flagKey) => ({
    flagKey,
    flag: after.get(flagKey),
    previous: before.get(flagKey),
    type: types.get(flagKey),
    revision,
  }));
}
