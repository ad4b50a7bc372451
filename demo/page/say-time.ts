/** Durations and times of day in words. */

/** `just now`, `12 s ago`, `3 min ago`, `2 h ago`, `4 days ago`. */
export function sayAge(ageMs: number): string {
  const seconds = Math.round(ageMs / 1000);
  if (seconds < 3) return 'just now';
  if (seconds < 90) return `${seconds} s ago`;
  const minutes = Math.round(seconds / 60);
  if (minutes < 90) return `${minutes} min ago`;
  const hours = Math.round(minutes / 60);
  return hours < 36 ? `${hours} h ago` : `${Math.round(hours / 24)} days ago`;
}

/** For text that is read out when it changes: never more often than once a minute. */
export function sayCoarseAge(ageMs: number): string {
  return ageMs < 60_000 ? 'less than a minute ago' : sayAge(ageMs);
}

/** `now`, `in 4 s`, `in 2 min`. */
export function sayWait(waitMs: number): string {
  const seconds = Math.ceil(waitMs / 1000);
  if (seconds <= 0) return 'now';
  return seconds < 90 ? `in ${seconds} s` : `in ${Math.round(seconds / 60)} min`;
}

/** `40 ms`, `1.2 s`, `14 s`, `3 min`. */
export function sayDuration(durationMs: number): string {
  if (durationMs < 1_000) return `${Math.max(0, Math.round(durationMs))} ms`;
  if (durationMs < 10_000) return `${Math.round(durationMs / 100) / 10} s`;
  return durationMs < 90_000
    ? `${Math.round(durationMs / 1_000)} s`
    : `${Math.round(durationMs / 60_000)} min`;
}

export function sayClock(atMs: number): string {
  return new Date(atMs).toLocaleTimeString(undefined, { hour12: false });
}
