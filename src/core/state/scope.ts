/** The scope: one server and one namespace. It names the database, the locks and the channel, so that two scopes can never mix. */

/** `namespace@server`. The namespace is escaped, so the first `@` ends it. */
export function scopeOf(namespace: string, url: string): string {
  return `${encodeURIComponent(namespace)}@${url}`;
}

/** Held by whoever streams. No build hash in the name: an old and a new worker share it. */
export function streamLockName(scope: string): string {
  return `flagent:${scope}:stream`;
}

/** Held by a tab for as long as it lives. */
export function tabLockName(scope: string, tabId: string): string {
  return `flagent:${scope}:tab:${tabId}`;
}

/** Held by a hub for as long as it lives. */
export function hubLockName(scope: string, bootId: string): string {
  return `flagent:${scope}:hub:${bootId}`;
}

/** Where a hub that streams tells the others what it has stored. */
export function channelName(scope: string): string {
  return `flagent:${scope}`;
}
