/** Five tiles: who holds the stream, how the connection is, which data is shown, how old it is, and where it is kept. */
import type { FlagStatus } from 'flagent-offline';
import { element, setText } from './element.ts';
import { sayConnection, sayHost, saySource } from './say-connection.ts';
import { sayAge } from './say-time.ts';
import type { WorldState } from './world.ts';

export interface ConnectionPanel {
  show(status: FlagStatus, world: WorldState | undefined, nowMs: number): void;
}

export function createConnectionPanel(container: HTMLElement): ConnectionPanel {
  const connection = createTile('Connection', 'connection');
  const stream = createTile('Streams at the server', 'streams');
  const tabs = createTile('Tabs', 'tabs');
  const age = createTile('Age of the data', 'age');
  const revision = createTile('Revision', 'revision');
  container.append(...[connection, stream, tabs, age, revision].map((tile) => tile.root));

  return {
    show(status, world, nowMs) {
      const { mood, title, detail } = sayConnection(status, nowMs);
      connection.show(title, detail, mood);
      stream.show(
        world === undefined ? '–' : String(world.streams),
        `held by: ${sayHost(status.host).toLowerCase()}`,
      );
      tabs.show(String(status.tabs), status.tabs === 1 ? 'open another one' : 'share one stream');
      const { confirmedAtMs } = status;
      const isLive = status.connection.is === 'live';
      age.show(
        isLive ? 'Current' : confirmedAtMs === undefined ? 'Unknown' : sayAge(nowMs - confirmedAtMs),
        `${saySource(status.source)} · ${status.storage === 'persistent' ? 'stored' : 'not stored'}`,
        status.stale ? 'busy' : undefined,
      );
      revision.show(String(status.revision ?? '–'), `epoch ${status.epoch?.slice(0, 8) ?? '–'}`);
    },
  };
}

interface Tile {
  readonly root: HTMLElement;
  show(value: string, detail: string, mood?: string): void;
}

function createTile(label: string, name: string): Tile {
  const value = element('strong');
  const detail = element('small');
  const root = element(
    'div',
    { class: 'tile', 'data-tile': name },
    element('span', {}, label),
    value,
    detail,
  );
  return {
    root,
    show(text, more, mood) {
      setText(value, text);
      setText(detail, more);
      detail.title = more;
      if (mood === undefined) delete root.dataset.mood;
      else root.dataset.mood = mood;
    },
  };
}
