/** What the browser tells a page about its own life and about the network; a worker hears none of it reliably. */

export interface PageLifeListener {
  /** Into the back/forward cache, frozen, or left for good. */
  onSleep(): void;
  /** Out of the back/forward cache or thawed. What happened meanwhile is unknown. */
  onWake(): void;
  /** `online`, `offline`, or `visible`. */
  onSign(why: string): void;
}

/** Until the signal is aborted. */
export function watchPageLife({ onSleep, onWake, onSign }: PageLifeListener, until: AbortSignal): void {
  const listen = (target: EventTarget, type: string, listener: (event: Event) => void): void =>
    target.addEventListener(type, listener, { signal: until });
  listen(window, 'pagehide', onSleep);
  listen(document, 'freeze', onSleep);
  listen(document, 'resume', onWake);
  listen(window, 'pageshow', (event) => (event as PageTransitionEvent).persisted && onWake());
  listen(window, 'online', () => onSign('online'));
  listen(window, 'offline', () => onSign('offline'));
  listen(document, 'visibilitychange', () => document.visibilityState === 'visible' && onSign('visible'));
}
