/**
 * Who streams: the hub that holds the stream lock leads, the others follow what it says and stores.
 *
 *   idle ──want──► queued ──lock──► taking ──term begun──► leading
 *     ▲               ▲  │                                    │
 *     │               │  └─ the leader answers no hello:      │
 *     │               │     steal the lock (it hangs, or      │
 *     │               │     sleeps without having said so)    │
 *     │               └── lost, superseded, asked to yield ───┤
 *     └── no active tab, forgotten ───────────────────────────┘
 */
import type { EventId, FlagFilter } from '../core/model.ts';
import type { HubStatus } from '../core/state/status.ts';
import type { Update } from '../core/state/update.ts';
import type { System } from '../system/system.ts';
import type { Trace } from '../system/trace.ts';
import type { Connection } from './connection.ts';
import type { Answer } from './contract.ts';
import { createPeerRefresh } from './peer-refresh.ts';
import {
  createTabCount,
  type LeaderNews,
  type PeerChannel,
  type PeerMessage,
  type PeerNews,
  type WhenHubIsGone,
} from './peers.ts';
import type { Replica } from './replica.ts';
import type { ClaimStream } from './stream-lock.ts';

export interface Leadership {
  readonly isLeader: boolean;
  /** What the leader has said of itself, when this hub follows one. */
  readonly leader: HubStatus | undefined;
  /** Tabs of the other hubs, as far as the leader knows. */
  readonly otherTabs: number;
  /** Whether this hub has use for the stream. One that has not lets go of the lock. */
  want(isWanted: boolean): void;
  /** Tells followers the status, and what has been committed. Does nothing in a follower. */
  speak(update?: Update): void;
  /** Says hello to the leader; one that does not answer is replaced. Does nothing in the leader. */
  greet(): void;
  /** Hands a sign that the network may be back to the leader. */
  wake(why: string): void;
  /** The leader's answer to a tab of this follower. */
  refresh(): Promise<Answer<EventId | null>>;
  /** Tells all hubs that the namespace is being wiped, and hears no more of what was said before. */
  forget(): Promise<void>;
  /** Lets go of the lock and queues again: another hub has begun a newer term. */
  letOthersLead(): void;
  /** The same for a hub that cannot lead now: until a tab comes or goes, it asks nobody to yield to it. */
  passOn(): void;
  close(): void;
}

export interface LeadershipOptions {
  readonly bootId: string;
  readonly protocol: number;
  readonly system: Pick<System, 'after' | 'random' | 'newId'>;
  readonly trace: Trace;
  readonly replica: Replica;
  readonly connection: Connection;
  readonly claimStream: ClaimStream;
  readonly peers: PeerChannel;
  readonly whenHubIsGone: WhenHubIsGone;
  /** Reads what is stored; what is of the given epoch counts even when another one is held. */
  readonly load: (epoch: string | undefined) => Promise<void>;
  readonly status: () => HubStatus;
  readonly ownTabs: () => number;
  readonly wants: () => FlagFilter | 'everything' | 'nothing';
  readonly widenFilter: (filter: FlagFilter | undefined) => void;
  readonly refresh: () => Promise<Answer<EventId | null>>;
  readonly onWoken: (why: string) => void;
  /** Another hub was told to forget. */
  readonly onForgotten: () => void;
  /** This hub leads now, follows another leader's news, or knows of other tabs. */
  readonly onChange: () => void;
}

/** Why the connection of a hub that does not lead is quiet; a follower shows the leader's instead. */
export const NOT_LEADING = 'waiting for the stream lock';

/** A follower that has heard nothing for this long says hello; spread, so that one hello serves all. */
const LEADER_SILENCE_MS = 45_000;
const LEADER_SILENCE_SPREAD_MS = 5_000;
/** Two hellos in a row without an answer, each within this time: the leader is deaf. The second one is for a follower that has slept itself. */
const ANSWER_WITHIN_MS = 3_000;
const HELLOS = 2;

export function createLeadership(options: LeadershipOptions): Leadership {
  const { bootId, protocol, system, trace, replica, connection, peers } = options;
  let stage: 'idle' | 'queued' | 'taking' | 'leading' = 'idle';
  let leader: HubStatus | undefined;
  /** Of the leader that was heard last, or of this hub when it leads. */
  let generation = 0;
  /** Leaders up to this generation belong to a time that was forgotten. */
  let forgottenGeneration = 0;
  /** Which generation that is, is being found out: nobody is heard. */
  let isForgetting = false;
  /** Names the present claim; what an earlier one still brings is void. */
  let claim = 0;
  let lock: { release(): void } | undefined;
  let stopTimer = (): void => {};
  let isHelpless = false;
  /** The state for which the flags have been asked for, and what was held instead, so that they are asked for once. */
  let askedFor = '';

  const post = (news: PeerNews): void => peers.post({ ...news, protocol, from: bootId });
  const refreshes = createPeerRefresh({ system, post, refresh: options.refresh });
  const count = createTabCount(options.whenHubIsGone, options.onChange);

  const speak = (update?: Update): void => {
    if (stage !== 'leading') return;
    const { filterKey } = replica;
    post({ type: 'leader', generation, filterKey, status: options.status(), ...(update && { update }) });
  };

  const claimStream = (how: 'queue' | 'steal'): void => {
    claim += 1;
    const mine = claim;
    const isMine = (): boolean => mine === claim;
    lock?.release();
    stage = 'queued';
    lock = options.claimStream(
      { onHeld: () => isMine() && void lead(isMine), onLost: () => isMine() && lost() },
      how,
    );
    sayHello(1);
  };

  const lead = async (isMine: () => boolean): Promise<void> => {
    stage = 'taking';
    isHelpless = false;
    stopTimer();
    // First the term: from then on nobody else can store anything, and what was stored before is what is read.
    const term = await replica.beginTerm(generation);
    await options.load(leader?.epoch);
    if (!isMine()) return;
    replica.lead(term);
    stage = 'leading';
    leader = undefined;
    generation = Math.max(term, generation + 1);
    trace('hub', 'leads', { generation });
    connection.tell({ type: 'unpause', reason: NOT_LEADING });
    options.onChange();
    refreshes.takeOver();
  };

  /** The stream is closed before the lock is free. */
  const stepDown = (): void => {
    stopTimer();
    stage = 'idle';
    connection.tell({ type: 'pause', reason: NOT_LEADING });
    replica.stopLeading();
    count.clear();
    claim += 1;
    lock?.release();
    lock = undefined;
  };

  const lost = (): void => {
    trace('hub', 'stream lock lost');
    queueAgain();
  };

  /** Not in a hub without use for the stream: a write that is refused can be heard of after it has closed. */
  const queueAgain = (): void => {
    if (stage === 'idle') return;
    stepDown();
    claimStream('queue');
  };

  const sayHello = (nth: number, needsFlags = false): void => {
    if (stage !== 'queued') return;
    post({ type: 'hello', tabs: options.ownTabs(), wants: options.wants(), needsFlags });
    stopTimer();
    stopTimer = system.after(ANSWER_WITHIN_MS, () => {
      if (nth < HELLOS) return sayHello(nth + 1, needsFlags);
      trace('hub', 'leader is deaf');
      claimStream('steal');
    });
  };

  const waitForNews = (): void => {
    stopTimer();
    if (stage !== 'queued') return;
    const withinMs = LEADER_SILENCE_MS + system.random() * LEADER_SILENCE_SPREAD_MS;
    stopTimer = system.after(withinMs, () => sayHello(1));
  };

  const isHeard = (news: LeaderNews): boolean =>
    (stage === 'idle' || stage === 'queued') &&
    !isForgetting &&
    news.generation > forgottenGeneration &&
    news.generation >= generation;

  const follow = async (news: LeaderNews, itsProtocol: number): Promise<void> => {
    if (!isHeard(news)) return refuse();
    const isNewLeader = leader === undefined || news.generation > generation;
    const { status, update, filterKey } = news;
    generation = news.generation;
    leader = status;
    waitForNews();
    if (isNewLeader) meet();
    const isStored = status.storage === 'persistent';
    const isSure = replica.isSure(status);
    if (update !== undefined && isSure) replica.follow(update, { filterKey, isStored });
    if (isStored && isSure && replica.isBehind(status, filterKey)) await options.load(status.epoch);
    if (leader !== status) return;
    replica.adopt(status);
    options.onChange();
    // One that has no use for the stream would not take it, and the leader would yield for ever.
    if (itsProtocol < protocol && stage === 'queued' && !isHelpless) post({ type: 'yield' });
    const { held, filterKey: heldFilterKey } = replica;
    const question = JSON.stringify([
      status.epoch,
      status.revision,
      filterKey,
      held?.revision,
      heldFilterKey,
    ]);
    const needsFlags = isSure && replica.isBehind(status, filterKey) && askedFor !== question;
    if (!needsFlags) return;
    askedFor = question;
    sayHello(1, needsFlags);
  };

  /** A leader that has just begun knows neither the tabs nor the wishes of this hub. */
  const meet = (): void => {
    askedFor = '';
    sayHello(1);
    refreshes.askAgain();
  };

  /** A leader that cannot read the terms of others counts its own from one; without an answer nobody would ever hear it. */
  const refuse = (): void => {
    if (isForgetting || (stage !== 'idle' && stage !== 'queued')) return;
    post({ type: 'outdated', generation: Math.max(generation, forgottenGeneration) });
  };

  const hear = (message: PeerMessage): void => {
    const isLeading = stage === 'leading';
    switch (message.type) {
      case 'leader':
        return void follow(message, message.protocol);
      case 'hello':
        if (message.wants === 'everything') options.widenFilter(undefined);
        else if (message.wants !== 'nothing') options.widenFilter(message.wants);
        if (!isLeading) return;
        count.note(message.from, message.tabs);
        if (message.needsFlags) speak(replica.whole());
        options.onChange();
        return;
      case 'wake':
        if (isLeading) options.onWoken(message.why);
        return;
      case 'yield':
        if (!isLeading || message.protocol <= protocol) return;
        trace('hub', 'yields', { to: message.protocol });
        queueAgain();
        return;
      case 'outdated':
        if (!isLeading || message.generation < generation) return;
        generation = message.generation + 1;
        speak();
        return;
      case 'refresh':
        if (isLeading) refreshes.serve(message.id);
        return;
      case 'refreshed':
        refreshes.settle(message.id, message.answer);
        return;
      case 'forgotten':
        leader = undefined;
        forgottenGeneration = Math.max(generation, message.generation);
        options.onForgotten();
    }
  };
  peers.onMessage(hear);

  return {
    get isLeader() {
      return stage === 'leading';
    },
    get leader() {
      return leader;
    },
    get otherTabs() {
      return count.others;
    },
    want: (isWanted) => {
      if (isWanted === (stage !== 'idle')) return;
      if (isWanted) claimStream('queue');
      else stepDown();
    },
    speak,
    greet: () => {
      isHelpless = false;
      sayHello(1);
    },
    wake: (why) => {
      post({ type: 'wake', why });
      sayHello(1);
    },
    refresh: refreshes.ask,
    forget: async () => {
      leader = undefined;
      forgottenGeneration = generation;
      post({ type: 'forgotten', generation });
      isForgetting = true;
      try {
        // Fences a leader that this hub has never heard of.
        forgottenGeneration = Math.max(generation, await replica.beginTerm(generation));
      } finally {
        isForgetting = false;
      }
    },
    letOthersLead: queueAgain,
    passOn: () => {
      isHelpless = true;
      queueAgain();
    },
    close: () => {
      stepDown();
      refreshes.close();
      peers.close();
    },
  };
}
