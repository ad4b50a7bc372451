/** Schedules that `chaos.test.ts` has found, each the shortest that broke a promise once. */
import 'fake-indexeddb/auto';
import { test } from 'vitest';
import { run } from '../kit/chaos-steps.ts';
import type { ChaosOptions, Step } from '../kit/chaos-world.ts';

interface Found extends Partial<ChaosOptions> {
  readonly name: string;
  readonly hosts: ChaosOptions['hosts'];
  readonly steps: readonly Step[];
}

const found: readonly Found[] = [
  {
    name: 'flags that only the memory of the leader has are not said to be stored by those who follow it',
    hosts: 'tabs',
    steps: [['open', 0], ['break storage'], ['edit', 'a', 'update', 'arrives'], ['cut'], ['wait', 100]],
  },
  {
    name: 'an older epoch from storage, not confirmed by the server, replaces nothing that a tab holds',
    hosts: 'workers',
    steps: [
      ['open', 0],
      ['new epoch', 'cut'],
      ['break storage'],
      ['edit', 'a', 'update', 'arrives'],
      ['wait', 60_000],
      ['deploy', 'newer protocol'],
    ],
  },
  {
    name: 'a leader that could not read the terms of others is heard by a hub that knows a higher generation',
    hosts: 'mixed',
    steps: [
      ['open', 0],
      ['open', 3],
      ['forget', 0],
      ['close', 0],
      ['wait', 60_000],
      ['break storage'],
      ['edit', 'a', 'update', 'arrives'],
      ['open', 0],
      ['burst', 2],
    ],
  },
  {
    name: 'a newer hub whose tabs are all suspended does not ask an older one to yield, again and again',
    hosts: 'workers',
    steps: [
      ['open', 0],
      ['deploy', 'newer protocol'],
      ['open', 1],
      ['suspend', 1, 'kept'],
      ['wait', 15_000],
      ['edit', 'a', 'update', 'arrives'],
    ],
  },
  {
    name: 'after a sign-out a follower without storage asks for the same flags again',
    hosts: 'tabs',
    steps: [
      ['open', 0],
      ['break storage'],
      ['open', 1],
      ['forget', 0],
      ['close', 0],
      ['wait', 100],
      ['crash worker', 'old'],
    ],
  },
  {
    name: 'a leader that hung during a sign-out does not wipe what was stored after the next sign-in',
    hosts: 'mixed',
    steps: [
      ['open', 0],
      ['freeze worker'],
      ['open', 2],
      ['edit', 'a', 'update', 'arrives'],
      ['forget', 2],
      ['open', 3],
      ['cut'],
      ['edit', 'a', 'update', 'arrives'],
      ['close', 0],
    ],
  },
  {
    name: 'a change of an epoch that is over does not make a hub wait for a snapshot of it',
    hosts: 'mixed',
    steps: [
      ['open', 0],
      ['snapshots', 'come late'],
      ['edit', 'a', 'update', 'garbled'],
      ['edit', 'a', 'update', 'arrives'],
      ['cut'],
      ['new epoch', 'stay open'],
      ['wait', 100],
    ],
  },
  {
    name: 'a hub of a newer protocol whose only tab hangs leaves the stream to an older one, also when a token is needed',
    hosts: 'mixed',
    steps: [
      ['open', 0],
      ['edit', 'a', 'update', 'arrives'],
      ['deploy', 'newer protocol'],
      ['fall behind', 3],
      ['edit', 'a', 'update', 'arrives'],
      ['open', 1],
      ['freeze', 1],
    ],
  },
  {
    name: 'a leader that hung while storage was deleted does not overwrite what a leader that never heard of it has stored',
    hosts: 'mixed',
    steps: [
      ['open', 0],
      ['freeze worker'],
      ['clear storage'],
      ['open', 3],
      ['edit', 'a', 'update', 'arrives'],
    ],
  },
  {
    name: 'behind a filter a second event that cannot be read, while a snapshot is on its way, is made good too',
    hosts: 'tabs',
    storage: 'none',
    filters: 'by tab',
    steps: [
      ['open', 0],
      ['snapshots', 'come late'],
      ['edit', 'a', 'update', 'garbled'],
      ['edit', 'a', 'update', 'garbled'],
      ['edit', 'b', 'update', 'arrives'],
      ['forget', 1],
    ],
  },
  {
    name: 'a snapshot that never comes is given up, and the stream with it',
    hosts: 'mixed',
    storage: 'indexeddb',
    steps: [
      ['open', 0],
      ['freeze', 0],
      ['edit', 'a', 'update', 'garbled'],
      ['stall'],
      ['wait', 100],
      ['wait', 2_000],
      ['edit', 'a', 'update', 'arrives'],
    ],
  },
  {
    name: 'a leader whose only tab hangs when the token has expired leaves the stream to a hub whose tab answers',
    hosts: 'mixed',
    steps: [['open', 0], ['freeze', 0], ['expire token'], ['open', 3]],
  },
  {
    name: 'a leader that hung while storage was deleted shares no term with the one who has robbed it',
    hosts: 'mixed',
    steps: [
      ['open', 0],
      ['freeze worker'],
      ['open', 3],
      ['clear storage'],
      ['burst', 2],
      ['edit', 'a', 'update', 'arrives'],
      ['cut'],
    ],
  },
  {
    name: 'a worker that hung while its hub had become idle keeps no lock',
    hosts: 'mixed',
    steps: [['open', 0], ['close', 0], ['freeze worker'], ['open', 2], ['edit', 'a', 'update', 'arrives']],
  },
  {
    name: 'a leader that hung hears no other one while it signs out, and storage stays wiped until somebody signs in',
    hosts: 'mixed',
    steps: [
      ['open', 0],
      ['freeze worker'],
      ['open', 3],
      ['forget', 0],
      ['crash worker', 'old'],
      ['edit', 'a', 'update', 'arrives'],
      ['edit', 'a', 'update', 'arrives'],
    ],
  },
  {
    name: 'a change of an epoch that came and went while a snapshot was awaited is not waited for, again and again',
    hosts: 'tabs',
    steps: [
      ['open', 0],
      ['snapshots', 'come late'],
      ['new epoch', 'stay open'],
      ['edit', 'a', 'update', 'arrives'],
      ['new epoch', 'cut'],
      ['crash worker', 'old'],
    ],
  },
  {
    name: 'a tab that comes back with the same revision, seen through a narrower filter, is sent everything',
    hosts: 'workers',
    filters: 'by tab',
    steps: [
      ['open', 0],
      ['edit', 'b', 'update', 'arrives'],
      ['new epoch', 'cut'],
      ['wait', 60_000],
      ['open', 3],
      ['suspend', 3, 'kept'],
    ],
  },
  {
    name: 'a follower says hello to a new leader also when its news come faster than storage answers',
    hosts: 'mixed',
    filters: 'by tab',
    steps: [
      ['open', 0],
      ['deploy', 'newer protocol'],
      ['new epoch', 'stay open'],
      ['open', 2],
      ['open', 1],
    ],
  },
  {
    name: 'a snapshot that comes late, when the stream has brought more, is not taken for a server that lags',
    hosts: 'tabs',
    steps: [
      ['open', 0],
      ['edit', 'a', 'update', 'arrives'],
      ['forget', 0],
      ['snapshots', 'come late'],
      ['refresh', 0],
      ['fall behind', 1],
      ['edit', 'a', 'update', 'arrives'],
      ['edit', 'a', 'update', 'arrives'],
      ['wait', 2_000],
    ],
  },
  {
    name: 'a follower that reads the same revision from storage, seen through a narrower filter, asks the leader for the rest',
    hosts: 'mixed',
    filters: 'by tab',
    steps: [
      ['open', 0],
      ['edit', 'b', 'update', 'garbled'],
      ['break storage'],
      ['snapshots', 'fail'],
      ['open', 3],
      ['cut'],
    ],
  },
  {
    name: 'a leader that hung hears of a sign-out when the data of the site are gone already',
    hosts: 'mixed',
    filters: 'by tab',
    steps: [
      ['open', 0],
      ['close', 0],
      ['open', 3],
      ['freeze worker'],
      ['forget', 3],
      ['open', 3],
      ['cut'],
      ['clear storage'],
    ],
  },
];

test.each(found)('$name', async ({ name, steps, ...options }) => {
  await run({ storage: 'memory', filters: 'everything', chance: 0, ...options }, steps);
});
