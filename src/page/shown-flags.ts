/** What this tab's reads are answered from. Only the mirror writes it, a whole state at a time. */
import type { FlagLookup } from '../core/evaluate/evaluation.ts';
import type { CompilePattern } from '../core/evaluate/pattern-contract.ts';
import type { EventId, Flag } from '../core/model.ts';

export interface ShownFlags extends FlagLookup {
  /** Undecided until the engine is here. Flags that need it are not shown before. */
  compilePattern: CompilePattern;
  /** What is held; `undefined` before the first flags and after `forget`. */
  readonly held: EventId | undefined;
  readonly flags: ReadonlyMap<string, Flag>;
  show(held: EventId | undefined, flags: ReadonlyMap<string, Flag>): void;
}

type Writable<T> = { -readonly [Name in keyof T]: T[Name] };

export function createShownFlags(): ShownFlags {
  let byID: Map<number, Flag> | undefined;
  const shown: Writable<ShownFlags> = {
    compilePattern: () => ({ problem: 'unsupported', test: () => undefined }),
    held: undefined,
    flags: new Map(),
    byKey: (key) => shown.flags.get(key),
    byID: (id) => {
      byID ??= new Map([...shown.flags.values()].map((flag) => [flag.id, flag]));
      return byID.get(id);
    },
    show: (held, flags) => {
      shown.held = held;
      shown.flags = flags;
      byID = undefined;
    },
  };
  return shown;
}
