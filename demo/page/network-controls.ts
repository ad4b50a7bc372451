/** Breaks the network between this page and the flag server, for real, and puts everything back. */
import { button, element } from './element.ts';
import { type NetworkState, resetWorld, setNetwork, type WorldState } from './world.ts';

export interface NetworkControls {
  show(world: WorldState | undefined): void;
}

const CHOICES: readonly { readonly state: NetworkState; readonly label: string; readonly hint: string }[] = [
  { state: 'restored', label: 'Connected', hint: 'Let everything pass' },
  { state: 'cut', label: 'Cut', hint: 'End the stream and refuse new connections' },
  { state: 'stalled', label: 'Silent', hint: 'Keep connections open, but let no byte pass' },
];

export function createNetworkControls(
  container: HTMLElement,
  onWorld: (world: WorldState | undefined) => void,
): NetworkControls {
  const choices = CHOICES.map(({ state, label, hint }) => {
    const press = (): void => void setNetwork(state).then(onWorld);
    return { state, press: button(label, press, { title: hint, 'aria-pressed': 'false' }) };
  });
  const reset = button('Reset flags and network', () => void resetWorld().then(onWorld), { class: 'quiet' });
  const gone = element(
    'p',
    { class: 'hint', hidden: true },
    'The demo server is stopped. The page goes on without it.',
  );
  container.append(
    element('h2', {}, 'Network to the flag server'),
    element(
      'div',
      { class: 'segmented', role: 'group', 'aria-label': 'Network' },
      ...choices.map(({ press }) => press),
    ),
    element(
      'p',
      { class: 'hint' },
      'Cut it, toggle some flags, restore it: what was missed arrives at once. Reloading works in every state.',
    ),
    gone,
    reset,
  );

  return {
    show(world) {
      gone.hidden = world !== undefined;
      reset.disabled = world === undefined;
      for (const { state, press } of choices) {
        press.setAttribute('aria-pressed', String(world?.network === state));
        press.disabled = world === undefined;
      }
    },
  };
}
