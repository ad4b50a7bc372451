/** Web Locks of one storage key: agents (tabs, workers) queue, hold, steal and die. Grants come in a later turn, as in a browser. */

export interface FakeAgentLocks {
  /** The `navigator.locks` of this agent. */
  readonly locks: LockManager;
  /** As the browser sees it: an agent that hangs may not know yet what it got or lost. */
  holds(name: string): boolean;
  /** The agent is gone without a word: everything it holds is free, everything it waits for is forgotten. */
  die(): void;
  /** As WebKit treats a page in the back/forward cache: everything is taken away, and the agent is told. */
  loseAll(): void;
}

interface Request {
  readonly agent: object;
  readonly name: string;
  readonly isShared: boolean;
  grant(): void;
  /** Rejects the request, held or waiting. */
  refuse(): void;
}

export interface FakeLocks {
  /** `run` decides when the agent hears of what it got and lost; at once without it. */
  agent(run?: (task: () => void) => void): FakeAgentLocks;
  /** Held now by anybody. */
  isHeld(name: string): boolean;
  /** Requests that wait. */
  readonly waiting: number;
  /** Locks that are held. */
  readonly count: number;
}

export function createFakeLocks(): FakeLocks {
  let held: Request[] = [];
  let queue: Request[] = [];

  const isFree = ({ name, isShared }: Request): boolean =>
    held.every((other) => other.name !== name || (isShared && other.isShared));

  const serve = (): void => {
    const blocked = new Set<string>();
    for (const request of [...queue]) {
      // First come, first served: nobody overtakes somebody who waits for the same name.
      if (blocked.has(request.name) || !isFree(request)) {
        blocked.add(request.name);
        continue;
      }
      queue = queue.filter((other) => other !== request);
      held.push(request);
      queueMicrotask(request.grant);
    }
  };

  const leave = (request: Request): void => {
    held = held.filter((other) => other !== request);
    queue = queue.filter((other) => other !== request);
    serve();
  };

  const agent: FakeLocks['agent'] = (run = (task) => task()) => {
    const self = {};
    let isDead = false;
    const mine = (): Request[] => [...held, ...queue].filter((request) => request.agent === self);

    const request = (
      name: string,
      options: LockOptions,
      callback: (lock: Lock | null) => unknown,
    ): Promise<unknown> =>
      new Promise((resolve, reject) => {
        if (isDead) return;
        const wanted: Request = {
          agent: self,
          name,
          isShared: options.mode === 'shared',
          grant: () =>
            run(() => {
              if (!isDead && held.includes(wanted)) call();
            }),
          refuse: () => {
            leave(wanted);
            run(() => isDead || reject(new DOMException('The lock was taken away.', 'AbortError')));
          },
        };
        const call = (): void => {
          Promise.resolve(callback({ name, mode: options.mode ?? 'exclusive' })).then(
            (value) => {
              leave(wanted);
              resolve(value);
            },
            (error: unknown) => {
              leave(wanted);
              reject(error);
            },
          );
        };
        options.signal?.addEventListener('abort', () => {
          if (queue.includes(wanted)) wanted.refuse();
        });
        if (options.steal) {
          for (const other of held.filter((holder) => holder.name === name)) other.refuse();
          queue.unshift(wanted);
        } else queue.push(wanted);
        serve();
      });

    return {
      locks: { request } as unknown as LockManager,
      holds: (name) => held.some((one) => one.agent === self && one.name === name),
      die: () => {
        isDead = true;
        for (const each of mine()) leave(each);
      },
      loseAll: () => {
        for (const each of mine()) each.refuse();
      },
    };
  };

  return {
    agent,
    isHeld: (name) => held.some((request) => request.name === name),
    get waiting() {
      return queue.length;
    },
    get count() {
      return held.length;
    },
  };
}
