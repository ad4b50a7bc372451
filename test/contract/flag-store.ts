/** What every flag store must do; run over each implementation. */
import { expect, test } from 'vitest';
import type { Change, Flag } from '../../src/core/model.ts';
import type { Held } from '../../src/core/state/reduce.ts';
import type { FlagStore } from '../../src/storage/contract.ts';
import { buildFlag } from '../kit/flags.ts';

export const heldOf = (revision: number, flags: readonly Flag[], epoch = 'e1'): Held => ({
  epoch,
  revision,
  flags: new Map(flags.map((flag) => [flag.key, flag])),
  isFiltered: false,
});

export const changeTo = (revision: number, flag: Flag, epoch = 'e1'): Change => ({
  type: 'FLAG_UPDATED',
  epoch,
  revision,
  timestampMs: 5,
  flagID: flag.id,
  flagKey: flag.key,
  flag,
});

const one = buildFlag('one', { id: 1 });
const two = buildFlag('two', { id: 2 });
const facts = { term: 1, nowMs: 1_000, filterKey: '' };

/** `open` gives a store over the same data each time, as a new page would. */
export function flagStoreContract(
  name: string,
  open: () => Promise<FlagStore>,
  { survivesReopening }: { readonly survivesReopening: boolean },
): void {
  const led = async (): Promise<FlagStore> => {
    const store = await open();
    await store.lead();
    return store;
  };

  test(`${name}: holds nothing at first`, async () => {
    expect(await (await open()).load()).toBeUndefined();
  });

  test(`${name}: gives back the snapshot and the changes behind it, with their age`, async () => {
    const store = await led();
    await store.saveSnapshot(heldOf(7, [one]), facts);
    const held = heldOf(8, [one, two]);
    await store.appendChanges([changeTo(8, two)], held, { ...facts, nowMs: 2_000 });
    const reader = survivesReopening ? await open() : store;
    expect(await reader.load()).toEqual({ held, confirmedAtMs: 2_000, filterKey: '' });
  });

  test(`${name}: a later snapshot replaces an earlier one, whatever its epoch`, async () => {
    const store = await led();
    await store.saveSnapshot(heldOf(7, [one]), facts);
    await store.appendChanges([changeTo(8, two)], heldOf(8, [one, two]), facts);
    await store.saveSnapshot(heldOf(3, [two], 'e2'), facts);
    expect((await store.load())?.held).toEqual(heldOf(3, [two], 'e2'));
  });

  test(`${name}: a removal is stored like any change`, async () => {
    const store = await led();
    await store.saveSnapshot(heldOf(1, [one, two]), facts);
    const removal: Change = { ...changeTo(2, one), type: 'FLAG_DELETED', flag: null };
    await store.appendChanges([removal], heldOf(2, [two]), facts);
    expect((await store.load())?.held).toEqual(heldOf(2, [two]));
  });

  test(`${name}: refuses the writes of a term that is over, and keeps what the newer one wrote`, async () => {
    const store = await led();
    const newTerm = await store.lead();
    await store.saveSnapshot(heldOf(9, [two]), { ...facts, term: newTerm });
    const late = [
      () => store.saveSnapshot(heldOf(1, [one]), facts),
      () => store.appendChanges([changeTo(10, one)], heldOf(10, [one]), facts),
      () => store.confirm(facts),
    ];
    for (const write of late) await expect(write()).rejects.toMatchObject({ code: 'superseded' });
    expect((await store.load())?.held).toEqual(heldOf(9, [two]));
  });

  test(`${name}: remembers when the flags were last confirmed`, async () => {
    const store = await led();
    await store.saveSnapshot(heldOf(1, [one]), facts);
    await store.confirm({ term: 1, nowMs: 9_000 });
    expect((await store.load())?.confirmedAtMs).toBe(9_000);
  });

  test(`${name}: holds nothing after it was cleared, and can be written again`, async () => {
    const store = await led();
    await store.saveSnapshot(heldOf(1, [one]), facts);
    await store.clear();
    expect(await store.load()).toBeUndefined();
    await store.saveSnapshot(heldOf(2, [two]), facts);
    expect((await store.load())?.held).toEqual(heldOf(2, [two]));
  });
}
