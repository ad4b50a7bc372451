/** Where the hub of this page should live; it stands in the address, so that a link can change it. */

export interface HubChoice {
  /** A browser whose SharedWorker does not work has its hubs in tabs whatever is chosen. */
  readonly livesIn: 'shared-worker' | 'tab';
  /** This page, with the hub there. */
  readonly urls: Readonly<Record<'shared-worker' | 'tab', string>>;
}

export function chosenHub(): HubChoice {
  const inTabs = new URL('?host=tab', document.baseURI);
  return {
    livesIn: new URLSearchParams(location.search).get('host') === 'tab' ? 'tab' : 'shared-worker',
    urls: { 'shared-worker': inTabs.pathname, tab: inTabs.pathname + inTabs.search },
  };
}
