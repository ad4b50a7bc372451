/** Everything that can be set about WebSockets, in one table: it makes the checks, the options of `serve`, their variables and the README. */
import { FlagError } from '../core/errors.ts';

export interface WebSocketConfig {
  /** False: there is no WebSocket, and its path does not exist. Default true. */
  readonly enabled?: boolean;
  /** A port of its own, on the same host, where the whole server answers too; 0 takes a free one. Default: the port of the server. */
  readonly port?: number;
  /** Default `/ws`. */
  readonly path?: string;
  /** Pause between pings, milliseconds; a client from which nothing comes for so long, not even an answer, is cut at the next. Default 30 000. */
  readonly pingIntervalMs?: number;
  /** Sockets open at once; one more is answered with 503. Default 10 000. */
  readonly maxConnections?: number;
  /** Bytes of one message of a client; more closes its socket with 1009. Default 1 MB. */
  readonly maxFrameBytes?: number;
  /** Subscriptions on one socket; one more is refused. Default 100. */
  readonly maxSubscriptions?: number;
}

export interface CheckedWebSocketConfig extends Required<Omit<WebSocketConfig, 'port'>> {
  /** `undefined`: the port of the server. */
  readonly port: number | undefined;
}

export interface Setting {
  /** Of `serve`. */
  readonly flag: string;
  readonly variable: string;
  readonly description: string;
  readonly absent: boolean | number | string | undefined;
  readonly isRight: (value: unknown) => boolean;
  /** What it must be, for the one who gave something else. */
  readonly expected: string;
}

const MAX_TIMER_MS = 2 ** 31 - 1;

const isWholeNumber = (value: unknown, least: number, most: number): boolean =>
  Number.isInteger(value) && Number(value) >= least && Number(value) <= most;

const countFrom1 = (most: number) => ({
  isRight: (value: unknown) => isWholeNumber(value, 1, most),
  expected: `a whole number from 1 to ${most}`,
});

/** A path that no client has to escape and that hides none of REST. */
const PATH = /^\/[\w./~-]{1,200}$/;

export const WEBSOCKET_SETTINGS: Readonly<Record<keyof WebSocketConfig, Setting>> = {
  enabled: {
    flag: '--ws-enabled <boolean>',
    variable: 'FLAGENT_WS_ENABLED',
    description: 'whether there is a WebSocket, true or false',
    absent: true,
    isRight: (value) => typeof value === 'boolean',
    expected: 'true or false',
  },
  port: {
    flag: '--ws-port <port>',
    variable: 'FLAGENT_WS_PORT',
    description: 'port of its own; 0 takes a free one',
    absent: undefined,
    isRight: (value) => value === undefined || isWholeNumber(value, 0, 65_535),
    expected: 'a whole number from 0 to 65535',
  },
  path: {
    flag: '--ws-path <path>',
    variable: 'FLAGENT_WS_PATH',
    description: 'path of the WebSocket',
    absent: '/ws',
    isRight: (value) => typeof value === 'string' && PATH.test(value) && !value.startsWith('/api/'),
    expected: 'a path such as /ws, outside of /api/, of letters, digits and - . _ ~ /',
  },
  pingIntervalMs: {
    flag: '--ws-ping-interval-ms <ms>',
    variable: 'FLAGENT_WS_PING_INTERVAL_MS',
    description: 'pause between pings',
    absent: 30_000,
    ...countFrom1(MAX_TIMER_MS),
  },
  maxConnections: {
    flag: '--ws-max-connections <count>',
    variable: 'FLAGENT_WS_MAX_CONNECTIONS',
    description: 'sockets open at once',
    absent: 10_000,
    ...countFrom1(MAX_TIMER_MS),
  },
  maxFrameBytes: {
    flag: '--ws-max-frame-bytes <bytes>',
    variable: 'FLAGENT_WS_MAX_FRAME_BYTES',
    description: 'longest message of a client',
    absent: 1024 * 1024,
    ...countFrom1(64 * 1024 * 1024),
  },
  maxSubscriptions: {
    flag: '--ws-max-subscriptions <count>',
    variable: 'FLAGENT_WS_MAX_SUBSCRIPTIONS',
    description: 'subscriptions on one socket',
    absent: 100,
    ...countFrom1(MAX_TIMER_MS),
  },
};

/** Throws `invalid_option` that names the option. */
export function checkWebSocketConfig(config: WebSocketConfig = {}): CheckedWebSocketConfig {
  if (typeof config !== 'object' || config === null) refuse('websocket must be an object');
  const names = Object.keys(WEBSOCKET_SETTINGS) as (keyof WebSocketConfig)[];
  const unknown = Object.keys(config).filter((name) => !names.some((known) => known === name));
  if (unknown.length > 0) {
    refuse(`websocket.${unknown[0]} is not known. Known are: ${names.join(', ')}`);
  }
  const values = names.map((name) => {
    const { absent, isRight, expected } = WEBSOCKET_SETTINGS[name];
    const value = config[name] ?? absent;
    if (!isRight(value)) refuse(`websocket.${name} must be ${expected}, but is ${JSON.stringify(value)}`);
    return [name, value];
  });
  // Each value has been checked by the row of its name.
  return Object.fromEntries(values) as CheckedWebSocketConfig;
}

/** The text of a flag or variable as the value of the option. Throws `invalid_option`, without saying where the text comes from. */
export function readWebSocketSetting(name: keyof WebSocketConfig, text: string): boolean | number | string {
  const { absent, isRight, expected } = WEBSOCKET_SETTINGS[name];
  const value = typeof absent === 'string' ? text : readWord(text);
  if (isRight(value)) return value;
  throw new FlagError('invalid_option', `It must be ${expected}.`);
}

function readWord(text: string): boolean | number | string {
  if (text === 'true' || text === 'false') return text === 'true';
  return /^\d{1,15}$/.test(text) ? Number(text) : text;
}

function refuse(what: string): never {
  throw new FlagError('invalid_option', `Server option ${what}.`);
}
