/** What the page and its worker both need to know for a crash on demand. */

export const CRASH_CHANNEL = 'flagent-demo';
export const CRASH = 'crash';
