/** The table of WebSocket settings: everything else about them is made from it, or compared with it here. */
import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import {
  checkWebSocketConfig,
  readWebSocketSetting,
  WEBSOCKET_SETTINGS,
  type WebSocketConfig,
} from '../../src/server/websocket-config.ts';

const rows = Object.entries(WEBSOCKET_SETTINGS);

test('without options every setting has its default', () => {
  expect(checkWebSocketConfig()).toEqual({
    enabled: true,
    port: undefined,
    path: '/ws',
    pingIntervalMs: 30_000,
    maxConnections: 10_000,
    maxFrameBytes: 1_048_576,
    maxSubscriptions: 100,
  });
});

test('what is given is kept', () => {
  const config = {
    enabled: false,
    port: 0,
    path: '/live/v2.1',
    pingIntervalMs: 1,
    maxConnections: 1,
    maxFrameBytes: 1,
    maxSubscriptions: 1,
  };
  expect(checkWebSocketConfig(config)).toEqual(config);
});

test.each<[unknown, RegExp]>([
  [null, /^Server option websocket must be an object/],
  [{ pingInterval: 5 }, /^Server option websocket\.pingInterval is not known\. Known are: enabled, port/],
  [{ enabled: 'yes' }, /^Server option websocket\.enabled must be true or false, but is "yes"/],
  [{ port: 65_536 }, /^Server option websocket\.port must be a whole number from 0 to 65535, but is 65536/],
  [{ port: -1 }, /websocket\.port must be/],
  [{ path: 'ws' }, /websocket\.path must be a path such as \/ws/],
  [{ path: '/ws?a=b' }, /websocket\.path must be/],
  [{ path: '/api/v1/flags' }, /websocket\.path must be a path such as \/ws, outside of \/api\//],
  [{ pingIntervalMs: 0 }, /websocket\.pingIntervalMs must be a whole number from 1/],
  [{ maxConnections: 1.5 }, /websocket\.maxConnections must be/],
  [{ maxFrameBytes: '1 MB' }, /websocket\.maxFrameBytes must be .* but is "1 MB"/],
  [{ maxSubscriptions: Number.NaN }, /websocket\.maxSubscriptions must be/],
])('%j is refused in words', (config, message) => {
  const check = () => checkWebSocketConfig(config as WebSocketConfig);
  expect(check).toThrow(message);
  expect(check).toThrow(expect.objectContaining({ code: 'invalid_option' }));
});

test.each<[keyof WebSocketConfig, string, unknown]>([
  ['enabled', 'false', false],
  ['enabled', 'true', true],
  ['port', '0', 0],
  ['path', '/a', '/a'],
  ['maxConnections', '12', 12],
])('%s reads %j', (name, text, value) => {
  expect(readWebSocketSetting(name, text)).toBe(value);
});

test.each<[keyof WebSocketConfig, string]>([
  ['enabled', '1'],
  ['port', ''],
  ['port', '80a'],
  ['port', 'true'],
  ['path', 'true'],
  ['maxConnections', '-1'],
  ['maxConnections', '1e3'],
])('%s refuses %j', (name, text) => {
  expect(() => readWebSocketSetting(name, text)).toThrow(/^It must be /);
});

test('flags and variables are named as the options are', () => {
  for (const [name, { flag, variable }] of rows) {
    const words = name.replaceAll(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
    expect(flag.split(' ')[0]).toBe(`--ws-${words}`);
    expect(variable).toBe(`FLAGENT_WS_${words.replaceAll('-', '_').toUpperCase()}`);
  }
});

test('the README has the table, row by row', () => {
  const readme = readFileSync(new URL('../../README.md', import.meta.url), 'utf8');
  const written = [
    ...readme.matchAll(/^\| `websocket\.(\w+)` \| `(.+?)` \| `(\w+)` \| (.+?) \| (.+?) \|$/gm),
  ];
  expect(written.map(([, ...cells]) => cells)).toEqual(
    rows.map(([name, { flag, variable, description, absent }]) => [
      name,
      flag,
      variable,
      description,
      absent === undefined ? 'the port of the server' : `\`${absent}\``,
    ]),
  );
});
