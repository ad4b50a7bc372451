/** The demo page: a client, a board that shows what it holds, and buttons that break the world around it. */
import { createFlagClient } from 'flagent-offline';
import { createBoard } from './board.ts';
import { createConnectionPanel } from './connection-panel.ts';
import { button, place } from './element.ts';
import { createEventLog } from './event-log.ts';
import { createInstallButton } from './install-button.ts';
import { createNarrator } from './narrate.ts';
import { createNetworkControls } from './network-controls.ts';
import { createNotices } from './notices.ts';
import { startOffline } from './offline-start.ts';
import { readPageConfig } from './page-config.ts';
import { askWorld, type WorldState } from './world.ts';

const config = readPageConfig();
const client = createFlagClient({
  url: config.flagServerUrl,
  accessToken: config.readToken,
  namespace: 'demo',
});

const log = createEventLog(place('log'));
const board = createBoard(place('board'), client, ({ key }) =>
  log.add('world', `${key} could not be edited: the demo server does not answer`),
);
const panel = createConnectionPanel(place('facts'));
const narrator = createNarrator(log);
const controls = createNetworkControls(place('controls'), showWorld);
const notices = createNotices(place('notices'), {
  retry: () => void client.refresh().catch(() => log.add('connection', 'Still offline')),
  update: () => offlineStart.update(),
});
const offlineStart = startOffline(log, notices.showUpdate);
place('actions').append(button('Open another tab', () => open(location.href, '_blank', 'noopener')));
createInstallButton(place('actions'), () => log.add('world', 'Installed'));

let world: WorldState | undefined;

function showStatus(): void {
  panel.show(client.status, world, Date.now());
  notices.showStatus(client.status, Date.now());
}

function showWorld(next: WorldState | undefined): void {
  if (next?.network !== world?.network) {
    log.add('world', next === undefined ? 'The demo server does not answer' : `Network: ${next.network}`);
    // A device says so when it finds a network again; a proxy on this machine cannot.
    if (next?.network === 'restored') dispatchEvent(new Event('online'));
  }
  // The demo was started anew and its flag server has another address: this page, from storage, is the old one.
  if (next !== undefined && next.flagServerUrl !== config.flagServerUrl) void offlineStart.replacePage();
  world = next;
  controls.show(world);
  showStatus();
}

client.subscribeAll((change) => {
  narrator.change(change);
  board.showChange(change);
});
client.onStatus((status) => {
  narrator.status(status);
  showStatus();
});
client.ready().then(board.show, () => {});
setInterval(showStatus, 1000);
setInterval(() => document.hidden || void askWorld().then(showWorld), 2000);
void askWorld().then(showWorld);
board.show();
showStatus();
