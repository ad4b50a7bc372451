/** The demo page: a client, a board that shows what it holds, a panel that explains what somebody gets, buttons that break the world around it, and a log of what then happens. */
import { createFlagClient, type FlagStatus } from 'flagent-offline';
import { createAsWhom } from './as-whom.ts';
import { createBoard } from './board.ts';
import { createChaosPanel } from './chaos-panel.ts';
import { createConnectionPanel } from './connection-panel.ts';
import { createCurrentClient } from './current-client.ts';
import { button, place } from './element.ts';
import { createEventLog } from './event-log.ts';
import { createFaults } from './faults.ts';
import { followTrace } from './follow-trace.ts';
import { chosenHub } from './hub-choice.ts';
import { createInstallButton } from './install-button.ts';
import { createNarrator } from './narrate.ts';
import { createNetworkNews } from './network-news.ts';
import { createNotices } from './notices.ts';
import { startOffline } from './offline-start.ts';
import { readPageConfig } from './page-config.ts';
import { createRecovery } from './recovery.ts';
import { newestBuild, workerUrl } from './worker-build.ts';
import { askWorld, setRollout, type WorldState } from './world.ts';

/** About as many as by default: 15 s and 40 s. */
const SILENT_HEARTBEATS = 2.5;

const config = readPageConfig();
const hub = chosenHub();
const silenceMs = config.heartbeatMs * SILENT_HEARTBEATS;

const log = createEventLog(place('log'));
const narrator = createNarrator(log);
const recovery = createRecovery();
const networkNews = createNetworkNews(log, recovery);
const client = createCurrentClient(
  () =>
    createFlagClient({
      url: config.flagServerUrl,
      accessToken: config.readToken,
      namespace: 'demo',
      host: hub.livesIn === 'tab' ? 'tab' : 'auto',
      worker: { url: workerUrl(newestBuild()) },
      connection: { silenceMs, connectTimeoutMs: silenceMs },
    }),
  {
    change(change) {
      narrator.change(change);
      asWhom.showChange();
      board.showChange(change);
    },
    replaced: showFlags,
    status(status) {
      narrator.status(status);
      showStatus();
      lookAtTrace();
      // The server's count of streams is another one now.
      if (status.connection.is !== shownConnection) lookAround();
      shownConnection = status.connection.is;
    },
  },
);
const lookAtTrace = followTrace(() => client.now, narrator);
const asWhom = createAsWhom(place('as-whom'), {
  client,
  onWhom: () => board.show(),
  onRollout: ({ flag, segmentID, rolloutPercent }) =>
    board.awaitEdit(flag, setRollout(flag.id, segmentID, rolloutPercent)),
});
const board = createBoard(place('board'), {
  client,
  evaluate: asWhom.evaluate,
  onWhy: asWhom.pick,
  onRefused: ({ key }) => log.add('fault', `${key} could not be edited: the demo server does not answer`),
});
const panel = createConnectionPanel(place('facts'));
const faults = createFaults({
  log,
  recovery,
  client,
  onWorld: showWorld,
  hubLivesHere,
  onCleared: () => narrator.tellAgain('storage committed'),
});
const chaos = createChaosPanel(place('chaos'), { faults, hub, heartbeatMs: config.heartbeatMs, silenceMs });
const notices = createNotices(place('notices'), {
  retry: () => void client.now.refresh().catch(() => log.add('connection', 'Still offline')),
  update: () => offlineStart.update(),
});
const offlineStart = startOffline(log, notices.showUpdate);
place('actions').append(button('Open another tab', () => open(location.href, '_blank', 'noopener')));
createInstallButton(place('actions'), () => log.add('service-worker', 'Installed'));

let world: WorldState | undefined;
let shownConnection: FlagStatus['connection']['is'] | undefined;

function showFlags(): void {
  asWhom.show();
  board.show();
}

function showStatus(): void {
  const { status } = client.now;
  const nowMs = Date.now();
  panel.show(status, world, nowMs);
  notices.showStatus(status, nowMs);
  chaos.show(world, hubLivesHere());
  for (const { kind, text } of recovery.look(status, nowMs)) log.add(kind, text);
}

function hubLivesHere(): boolean {
  return hub.livesIn === 'tab' || client.now.status.host === 'tab';
}

function showWorld(next: WorldState | undefined): void {
  networkNews.show(next);
  // The demo was started anew and its flag server has another address: this page, from storage, is the old one.
  if (next !== undefined && next.flagServerUrl !== config.flagServerUrl) void offlineStart.replacePage();
  world = next;
  showStatus();
}

function lookAround(): void {
  if (document.hidden) return;
  void askWorld().then(showWorld);
  lookAtTrace();
}

client.now.ready().then(showFlags, () => {});
setInterval(showStatus, 1000);
setInterval(lookAround, 2000);
lookAround();
showFlags();
showStatus();
