/**
 * Parts of a pattern as functions from places in the text to the places where the part can end, best first, each place once.
 * Two ways to the same place are one way from there on, which is what keeps nested repetition from exploding.
 */

/** A position, counted in code points, with what the capturing groups hold; groups are kept only for patterns that refer back to them. */
export interface Place {
  readonly at: number;
  readonly groups: readonly string[];
}

export interface Run {
  readonly chars: readonly string[];
  /** Places that may still be tried. */
  cost: number;
}

export type Node = (run: Run, starts: readonly Place[]) => readonly Place[];
export type CharTest = (char: string) => boolean;

/** Once spent, every node ends nowhere: the text does not match, not even by a negative lookahead. */
export function costLeft(run: Run): boolean {
  return run.cost > 0;
}

/** Applies `next` to each start in turn and keeps the first of equal ends. */
function each(next: (run: Run, start: Place) => readonly Place[]): Node {
  return (run, starts) => {
    const ends = new Map<string | number, Place>();
    for (const start of starts) {
      run.cost -= 1;
      if (!costLeft(run)) return [];
      for (const end of next(run, start)) if (!ends.has(keyOf(end))) ends.set(keyOf(end), end);
    }
    return [...ends.values()];
  };
}

function keyOf({ at, groups }: Place): string | number {
  return groups.length === 0 ? at : `${at}${JSON.stringify(groups)}`;
}

export function charNode(test: CharTest): Node {
  return each(({ chars }, { at, groups }) => {
    const char = chars[at];
    return char !== undefined && test(char) ? [{ at: at + 1, groups }] : [];
  });
}

/** Matches without moving, where `holds` says so. */
export function anchorNode(holds: (chars: readonly string[], at: number) => boolean): Node {
  return each(({ chars }, start) => (holds(chars, start.at) ? [start] : []));
}

export function sequence(nodes: readonly Node[]): Node {
  return (run, starts) => nodes.reduce((places, node) => node(run, places), starts);
}

export function either(nodes: readonly Node[]): Node {
  return nodes.length === 1 && nodes[0] !== undefined
    ? nodes[0]
    : each((run, start) => nodes.flatMap((node) => node(run, [start])));
}

/** `(?>…)` and possessive quantifiers: the best end and no other. */
export function atomic(node: Node): Node {
  return each((run, start) => node(run, [start]).slice(0, 1));
}

export function capture(index: number, node: Node): Node {
  return each((run, start) =>
    node(run, [start]).map(({ at, groups }) => ({
      at,
      groups: Object.assign([...groups], { [index]: run.chars.slice(start.at, at).join('') }),
    })),
  );
}

/** The text that a group holds, again; a group that holds nothing yet matches nowhere. */
export function backReference(index: number, fold: (char: string) => string): Node {
  return each(({ chars }, { at, groups }) => {
    const held = groups[index];
    if (held === undefined) return [];
    const wanted = [...held];
    return wanted.every((char, offset) => fold(chars[at + offset] ?? '') === fold(char))
      ? [{ at: at + wanted.length, groups }]
      : [];
  });
}

export function lookAhead(node: Node, isWanted: boolean): Node {
  return each((run, start) => {
    const [end] = node(run, [start]);
    if (!isWanted) return end === undefined ? [start] : [];
    return end === undefined ? [] : [{ at: start.at, groups: end.groups }];
  });
}

export function lookBehind(node: Node, isWanted: boolean): Node {
  return each((run, start) => {
    for (let at = start.at; at >= 0; at -= 1) {
      const end = node(run, [{ at, groups: start.groups }]).find((place) => place.at === start.at);
      if (end !== undefined) return isWanted ? [end] : [];
    }
    return isWanted ? [] : [start];
  });
}

/** `min` to `max` times in a row; `isLazy` puts the shorter ends first. */
export function repeat(node: Node, min: number, max: number, isLazy: boolean): Node {
  return (run, starts) => {
    const seen = new Set<string>();
    const ends: Place[] = [];
    const from = (place: Place, count: number): void => {
      // Beyond the minimum an unlimited repetition need not count: a place is a place.
      const key = `${max === Number.POSITIVE_INFINITY ? Math.min(count, min) : count} ${keyOf(place)}`;
      run.cost -= 1;
      if (seen.has(key) || !costLeft(run)) return;
      seen.add(key);
      if (isLazy && count >= min) ends.push(place);
      if (count < max) for (const next of node(run, [place])) from(next, count + 1);
      if (!isLazy && count >= min) ends.push(place);
    };
    for (const start of starts) from(start, 0);
    return each((_, end) => [end])(run, ends);
  };
}
