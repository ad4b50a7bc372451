/** Buttons that break the world, each with what it does, and the choice of where the hub lives. They act through what they are given. */
import { button, element, setText } from './element.ts';
import type { Faults } from './faults.ts';
import type { HubChoice } from './hub-choice.ts';
import { sayDuration } from './say-time.ts';
import type { WorldState } from './world.ts';

export interface ChaosPanel {
  show(world: WorldState | undefined, hubLivesHere: boolean): void;
}

export interface ChaosPanelOptions {
  readonly faults: Faults;
  readonly hub: HubChoice;
  readonly heartbeatMs: number;
  readonly silenceMs: number;
}

interface Fault {
  readonly label: string;
  readonly press: keyof Faults;
  readonly hint: string;
  /** Why it cannot be pressed where the hub lives in this tab. */
  readonly hintInTabs?: string;
  /** Pressed for as long as the network is so; only the demo's server can make it so. */
  readonly network?: WorldState['network'];
}

export function createChaosPanel(container: HTMLElement, options: ChaosPanelOptions): ChaosPanel {
  const { faults, hub, heartbeatMs, silenceMs } = options;
  const cells = faultsWith(sayDuration(silenceMs)).map((fault) => {
    const hint = element('p', { class: 'hint', id: `hint-${fault.press}` }, fault.hint);
    const press = button(fault.label, () => void faults[fault.press](), {
      'aria-describedby': hint.id,
      ...(fault.network !== undefined && { 'aria-pressed': 'false', 'data-network': fault.network }),
    });
    return { ...fault, button: press, text: hint };
  });
  const reset = button('Reset flags and network', () => void faults.reset(), { class: 'quiet small' });
  const gone = element(
    'strong',
    { hidden: true },
    'The demo server is stopped; the page goes on without it. ',
  );
  container.append(
    element('div', { class: 'panel-head' }, element('h2', {}, 'Break things'), hubLinks(hub), reset),
    element(
      'div',
      { class: 'faults' },
      ...cells.map((cell) => element('div', { class: 'fault' }, cell.button, cell.text)),
    ),
    element(
      'p',
      { class: 'hint' },
      gone,
      `Press, toggle some flags, and read what happened. This demo is in a hurry: a heartbeat comes every ${sayDuration(heartbeatMs)}, ` +
        `and ${sayDuration(silenceMs)} of silence count as dead (by default 15 s and 40 s).`,
    ),
  );

  return {
    show(world, hubLivesHere) {
      const isGone = world === undefined;
      gone.hidden = !isGone;
      reset.disabled = isGone;
      for (const { button: press, text, network, hint, hintInTabs } of cells) {
        const cannot = hubLivesHere ? hintInTabs : undefined;
        press.disabled = cannot !== undefined || (network !== undefined && isGone);
        setText(text, cannot ?? hint);
        if (network !== undefined) press.setAttribute('aria-pressed', String(world?.network === network));
      }
    },
  };
}

const faultsWith = (silence: string): readonly Fault[] => [
  {
    label: 'Cut',
    press: 'cut',
    hint: 'Resets every connection to the flag server and refuses new ones.',
    network: 'cut',
  },
  {
    label: 'Stall',
    press: 'stall',
    hint: `Connections stay open, but no byte passes. Noticed after ${silence} of silence.`,
    network: 'stalled',
  },
  {
    label: 'Restore',
    press: 'restore',
    hint: 'Lets everything pass again. What was missed arrives at once.',
    network: 'restored',
  },
  {
    label: 'Crash worker',
    press: 'crashWorker',
    hint: 'The shared worker is gone without a word. All tabs start a new one.',
    hintInTabs: 'The hub lives in tabs here: close the leading tab, that is the same.',
  },
  {
    label: 'New deploy',
    press: 'deploy',
    hint: 'This tab moves to a new build of the worker. Other tabs stay on the old one.',
    hintInTabs: 'The hub is part of the page here: a new build comes with a reload.',
  },
  {
    label: 'Clear storage',
    press: 'clearStorage',
    hint: 'Deletes the stored flags under the running hub. Tabs read from memory.',
  },
];

function hubLinks({ livesIn, urls }: HubChoice): HTMLElement {
  const link = (place: HubChoice['livesIn'], text: string) =>
    element('a', { href: urls[place], 'aria-current': livesIn === place && 'true' }, text);
  return element(
    'nav',
    { class: 'hub-links', 'aria-label': 'Where the hub lives' },
    'Hub lives in: ',
    link('shared-worker', 'shared worker'),
    link('tab', 'tab'),
  );
}
