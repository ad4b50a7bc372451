/** What `createFlagentServer` takes, with every default and every check in one place. */
import { FlagError } from '../core/errors.ts';
import type { FlagSource } from './sources/contract.ts';
import {
  type CheckedWebSocketConfig,
  checkWebSocketConfig,
  type WebSocketConfig,
} from './websocket-config.ts';

export interface FlagentServerOptions {
  /** File of the SQLite database, made when missing; `:memory:` keeps nothing. Default `./flagent-offline.db`. */
  readonly database?: string;
  /** Where flags live instead of `database`. The server closes it on `close()`. */
  readonly source?: FlagSource;
  /** Changes kept for clients that resume; older clients get a snapshot. Default 10 000. Only with `database`. */
  readonly keptChanges?: number;
  /** Tokens that may read flags and open streams. Without any token, read or write, the server is open to all. */
  readonly readTokens?: readonly string[];
  /** Tokens that may also edit. */
  readonly writeTokens?: readonly string[];
  /** Origins whose pages may call the server, such as `https://app.example.com`, or `*`. Default none. */
  readonly allowOrigins?: readonly string[];
  /** Pause between heartbeat comments on a stream, milliseconds. Default 15 000. */
  readonly keepAliveIntervalMs?: number;
  /** A stream is cut when more than this many bytes wait for a slow client, its first snapshot not counted. Default 8 MB. */
  readonly maxQueuedBytes?: number;
  /** Server-sent event streams open at once; one more is answered with 503. Default 10 000. */
  readonly maxStreams?: number;
  /** WebSockets: on the port of the server at `/ws` unless said otherwise. */
  readonly websocket?: WebSocketConfig;
  /** On close, clients are asked to come back spread over this time, milliseconds. Default 5 000. */
  readonly drainSpreadMs?: number;
  /** `close()` destroys what is still open after this time, milliseconds. Default 3 000. */
  readonly closeTimeoutMs?: number;
  /** Hears failures that are the server's own fault; the client is only told that there was one. Default: a process warning. */
  readonly report?: (error: unknown) => void;
  /** Clock, milliseconds since 1970. Default `Date.now`. */
  readonly nowMs?: () => number;
}

/** The options after checks, with every default filled in. */
export interface ServerConfig extends Required<Omit<FlagentServerOptions, 'source' | 'websocket'>> {
  readonly source: FlagSource | undefined;
  readonly websocket: CheckedWebSocketConfig;
}

/** Throws `invalid_option` that names the option; token values are never shown. */
export function checkOptions(options: FlagentServerOptions): ServerConfig {
  return {
    database: checkDatabase(options),
    source: options.source,
    keptChanges: wholeNumber(options, 'keptChanges', 10_000, { least: 0 }),
    readTokens: checkTokens(options, 'readTokens'),
    writeTokens: checkTokens(options, 'writeTokens'),
    allowOrigins: checkOrigins(options.allowOrigins ?? []),
    keepAliveIntervalMs: wholeNumber(options, 'keepAliveIntervalMs', 15_000, { least: 1 }),
    maxQueuedBytes: wholeNumber(options, 'maxQueuedBytes', 8 * 1024 * 1024, { least: 1 }),
    maxStreams: wholeNumber(options, 'maxStreams', 10_000, { least: 1 }),
    websocket: checkWebSocketConfig(options.websocket),
    drainSpreadMs: wholeNumber(options, 'drainSpreadMs', 5_000, { least: 0 }),
    closeTimeoutMs: wholeNumber(options, 'closeTimeoutMs', 3_000, { least: 0 }),
    report: options.report ?? warn,
    nowMs: options.nowMs ?? Date.now,
  };
}

function warn(error: unknown): void {
  process.emitWarning(error instanceof Error ? error : String(error));
}

function refuse(option: string, expected: string): never {
  throw new FlagError('invalid_option', `Server option ${option} must be ${expected}.`);
}

function checkDatabase({ database = './flagent-offline.db', source }: FlagentServerOptions): string {
  if (typeof database !== 'string' || database === '') refuse('database', 'a file name or :memory:');
  if (source !== undefined && database !== './flagent-offline.db') {
    refuse('database', 'left out when a source is given');
  }
  return database;
}

const MAX_TIMER_MS = 2 ** 31 - 1;

function wholeNumber(
  options: FlagentServerOptions,
  name: keyof FlagentServerOptions,
  absent: number,
  { least }: { least: number },
): number {
  const value = options[name] ?? absent;
  if (!Number.isInteger(value) || Number(value) < least || Number(value) > MAX_TIMER_MS) {
    refuse(name, `a whole number from ${least} to ${MAX_TIMER_MS}, but is ${JSON.stringify(value)}`);
  }
  return Number(value);
}

/** RFC 6750 `b64token`, a little wider: what can stand in a header without quoting. */
const TOKEN = /^[\x21-\x7e]{1,1000}$/;

function checkTokens(options: FlagentServerOptions, name: 'readTokens' | 'writeTokens'): readonly string[] {
  const tokens = options[name] ?? [];
  if (!Array.isArray(tokens)) refuse(name, 'a list of tokens');
  tokens.forEach((token, index) => {
    if (typeof token !== 'string' || !TOKEN.test(token)) {
      refuse(
        `${name}[${index}]`,
        '1 to 1000 visible ASCII characters without spaces (its value is not shown)',
      );
    }
  });
  return tokens;
}

function checkOrigins(origins: readonly string[]): readonly string[] {
  if (!Array.isArray(origins)) refuse('allowOrigins', 'a list of origins');
  origins.forEach((origin, index) => {
    if (origin !== '*' && originOf(origin) !== origin) {
      refuse(
        `allowOrigins[${index}]`,
        `* or an origin without a path, such as https://app.example.com, but is ${JSON.stringify(origin)}`,
      );
    }
  });
  return origins;
}

function originOf(text: string): string | undefined {
  return URL.canParse(text) ? new URL(text).origin : undefined;
}
