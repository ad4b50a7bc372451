/** Ctrl-C and SIGTERM as an AbortSignal. A second one ends the process the hard way, should the soft way hang. */

export function stopSignal(): AbortSignal {
  const stop = new AbortController();
  for (const name of ['SIGINT', 'SIGTERM'] as const) process.once(name, () => stop.abort());
  return stop.signal;
}
