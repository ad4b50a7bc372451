/** The door of the public API: options are checked at once, with errors that say what and what to do. */
import { FlagError } from '../core/errors.ts';
import type { FlagFilter } from '../core/model.ts';
import { LIMITS } from '../core/protocol/limits.ts';
import { scopeOf } from '../core/state/scope.ts';
import { checkServerUrl } from '../system/server-url.ts';
import type { FlagClientOptions } from './flag-client.ts';

export interface CheckedOptions extends FlagClientOptions {
  readonly namespace: string;
  readonly scope: string;
  readonly staleAfterMs: number;
  readonly firstReadTimeoutMs: number;
}

const KNOWN = [
  'url',
  'accessToken',
  'namespace',
  'entity',
  'filter',
  'staleAfterMs',
  'firstReadTimeoutMs',
  'host',
  'worker',
  'connection',
];

export function checkOptions(options: FlagClientOptions): CheckedOptions {
  if (typeof options !== 'object' || options === null) {
    refuse('createFlagClient needs an object of options, at least { url }.');
  }
  const unknown = Object.keys(options).filter((name) => !KNOWN.includes(name));
  if (unknown.length > 0) refuse(`Unknown option ${unknown.join(', ')}. Known are: ${KNOWN.join(', ')}.`);
  const { namespace = 'default', accessToken, staleAfterMs = 300_000, firstReadTimeoutMs = 5_000 } = options;
  if (typeof namespace !== 'string' || namespace === '' || namespace.length > 200) {
    refuse(`namespace must be a string of 1 to 200 characters, but is ${show(namespace)}.`);
  }
  if (!['undefined', 'string', 'function'].includes(typeof accessToken)) {
    refuse(
      `accessToken must be a string or a function that gives one, but is of type ${typeof accessToken}.`,
    );
  }
  if (!['auto', 'shared-worker', 'tab', undefined].includes(options.host)) {
    refuse(`host must be auto, shared-worker or tab, but is ${show(options.host)}.`);
  }
  checkFilter(options.filter);
  refuseBadDuration('staleAfterMs', staleAfterMs);
  refuseBadDuration('firstReadTimeoutMs', firstReadTimeoutMs);
  const url = checkServerUrl(options.url);
  return { ...options, url, namespace, scope: scopeOf(namespace, url), staleAfterMs, firstReadTimeoutMs };
}

const FILTER_KINDS = { flagKeys: 'string', flagIDs: 'number', tags: 'string', segmentsOf: 'string' } as const;

/** An empty filter would mean nothing here and everything on the wire. */
function checkFilter(filter: FlagFilter | undefined): void {
  if (filter === undefined) return;
  const kinds: Readonly<Record<string, string>> = FILTER_KINDS;
  const isList = ([kind, names]: [string, unknown]): boolean =>
    Array.isArray(names) && names.every((name) => typeof name === kinds[kind]);
  const isWrong = typeof filter !== 'object' || filter === null || !Object.entries(filter).every(isList);
  const count = isWrong ? 0 : Object.values(filter).reduce((sum, names) => sum + names.length, 0);
  if (count === 0 || count > LIMITS.filterNames) {
    refuse(
      `filter must be an object of lists { ${Object.keys(FILTER_KINDS).join(', ')} } with 1 to ${LIMITS.filterNames} names in all, but is ${show(filter).slice(0, 100)}.`,
    );
  }
}

function refuseBadDuration(name: string, value: unknown): void {
  if (typeof value !== 'number' || !(value >= 0))
    refuse(`${name} must be milliseconds from 0, but is ${show(value)}.`);
}

function show(value: unknown): string {
  return value === undefined ? 'missing' : JSON.stringify(value);
}

function refuse(message: string): never {
  throw new FlagError('invalid_option', message);
}
