/** Offers to install the page as an application, where the browser says it can. */
import { button } from './element.ts';

/** Chromium's event; other browsers install from their own menu. */
interface InstallPromptEvent extends Event {
  prompt(): Promise<unknown>;
}

export function createInstallButton(container: HTMLElement, onInstalled: () => void): void {
  let offer: InstallPromptEvent | undefined;
  const install = button('Install', () => void offer?.prompt(), { hidden: true });
  container.append(install);
  addEventListener('beforeinstallprompt', (event) => {
    event.preventDefault();
    offer = event as InstallPromptEvent;
    install.hidden = false;
  });
  addEventListener('appinstalled', () => {
    install.hidden = true;
    onInstalled();
  });
}
