/** Parts for a service worker. Importing does nothing; each part is switched on by calling it once, at the top of the script. */
export { followUpdates } from './follow-updates.ts';
export { keepShell, type ShellFile, type ShellOptions } from './keep-shell.ts';
export { type PassStreamOptions, passStream } from './pass-stream.ts';
