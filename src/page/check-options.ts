/** The door of the public API: options are checked at once, with errors that say what and what to do. */
import { FlagError } from '../core/errors.ts';
import { SERVER_URL, serverUrlOf } from '../system/server-url.ts';
import type { FlagClientOptions } from './flag-client.ts';

/** What an option must be, in words and as a test. */
type Check = readonly [wanted: string, isRight: (value: unknown) => unknown];

/** As `LIMITS.filterNames`, and a test says so: the whole table would come along for one number. */
const MOST_NAMES = 1_000;

const FILTER_KINDS: Readonly<Record<string, string>> = {
  flagKeys: 'string',
  flagIDs: 'number',
  tags: 'string',
  segmentsOf: 'string',
};

const OBJECT: Check = ['an object', isObject];
const DURATION: Check = ['milliseconds from 0', (value) => typeof value === 'number' && value >= 0];

/** Complete by type: an option without its row does not compile. */
const CHECKS: Readonly<Record<keyof FlagClientOptions, Check>> = {
  url: [SERVER_URL, serverUrlOf],
  accessToken: [
    'a string or a function that gives one',
    (value) => typeof value === 'string' || typeof value === 'function',
  ],
  namespace: [
    'a string of 1 to 200 characters',
    (value) => typeof value === 'string' && /^.{1,200}$/s.test(value),
  ],
  entity: OBJECT,
  filter: [
    `an object of lists { ${Object.keys(FILTER_KINDS).join(', ')} } with 1 to ${MOST_NAMES} names in all`,
    isFilter,
  ],
  staleAfterMs: DURATION,
  firstReadTimeoutMs: DURATION,
  host: ['auto, shared-worker or tab', (value) => ['auto', 'shared-worker', 'tab'].includes(value as string)],
  worker: OBJECT,
  connection: OBJECT,
};

/** Throws `invalid_option`. */
export function checkOptions(options: FlagClientOptions): void {
  check('options', options, ['an object, at least { url }', isObject]);
  for (const name of Object.keys(options)) {
    if (!Object.hasOwn(CHECKS, name))
      refuse(`Unknown option ${name}. Known are: ${Object.keys(CHECKS).join(', ')}.`);
  }
  for (const name in CHECKS) {
    const value = options[name as keyof FlagClientOptions];
    if (value !== undefined || name === 'url') check(name, value, CHECKS[name as keyof FlagClientOptions]);
  }
}

function check(name: string, value: unknown, [wanted, isRight]: Check): void {
  if (isRight(value)) return;
  // A token is a secret, also when it is one in the wrong shape.
  const found = name === 'accessToken' ? `of type ${typeof value}` : JSON.stringify(value)?.slice(0, 100);
  refuse(`${name} must be ${wanted}, but is ${found}.`);
}

/** An empty filter would mean nothing here and everything on the wire. */
function isFilter(filter: unknown): boolean {
  const lists = Object.entries(Object(filter) as object);
  const { length } = lists.flatMap(([, names]) => names);
  return (
    length > 0 &&
    length <= MOST_NAMES &&
    lists.every(
      ([kind, names]) => Array.isArray(names) && names.every((name) => typeof name === FILTER_KINDS[kind]),
    )
  );
}

function isObject(value: unknown): boolean {
  return Object(value) === value;
}

function refuse(message: string): never {
  throw new FlagError('invalid_option', message);
}
