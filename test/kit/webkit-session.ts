/** WebDriver over plain fetch: one session, one current window, and therefore one command at a time. */
import { spawn } from 'node:child_process';
import { createServer } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { listenOnLoopback } from '../../src/testing/listen-on-loopback.ts';

/** A command as the driver's address space has it: `GET /screenshot`. */
type Method = 'GET' | 'POST' | 'DELETE';

export interface WebKitSession {
  readonly version: string;
  /** Process of the driver; the browser is its child. */
  readonly driverPid: number;
  /** A command to a window; commands of all windows wait for each other, so each must be short. */
  inWindow(handle: string, method: Method, path: string, body?: object): Promise<unknown>;
  /** A window that shows nothing and is there from the start to the end. */
  readonly keeper: string;
  openWindow(): Promise<string>;
  closeWindow(handle: string): Promise<void>;
  end(): Promise<void>;
}

export interface WebKitSessionOptions {
  readonly driver: string;
  readonly browser: string;
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string | undefined>>;
}

/** An answer that is an error; `code` is WebDriver's word for it. */
export class WebDriverError extends Error {
  override readonly name = 'WebDriverError';
  readonly code: string;

  constructor(code: string, message: string) {
    super(`${code}: ${message}`);
    this.code = code;
  }
}

/** A page that does not load in this time fails the test; a script is never waited for as long. */
const TIMEOUTS = { implicit: 0, pageLoad: 30_000, script: 30_000 };

export async function startWebKitSession(options: WebKitSessionOptions): Promise<WebKitSession> {
  const port = await findFreePort();
  const address = [`--port=${port}`, '--host=127.0.0.1'];
  const driver = spawn('setpriv', ['--pdeathsig', 'KILL', options.driver, ...address], {
    env: options.env,
    stdio: 'ignore',
  });
  const exited = new Promise<void>((resolve) => driver.once('exit', () => resolve()));
  const send = (method: Method, path: string, body?: object): Promise<unknown> =>
    command(`http://127.0.0.1:${port}${path}`, method, body);
  await untilReady(() => send('GET', '/status'));

  const created = (await send('POST', '/session', {
    capabilities: {
      alwaysMatch: {
        browserName: 'MiniBrowser',
        'webkitgtk:browserOptions': { binary: options.browser, args: options.args },
      },
    },
  })) as { sessionId: string; capabilities: { browserVersion: string } };
  const base = `/session/${created.sessionId}`;
  await send('POST', `${base}/timeouts`, TIMEOUTS);

  // Never given away: a session ends with its last window, and only from a living window can another be opened.
  const [keeper = ''] = (await send('GET', `${base}/window/handles`)) as string[];
  let current: string | undefined = keeper;
  let previous: Promise<unknown> = Promise.resolve();
  const oneAtATime = <T>(run: () => Promise<T>): Promise<T> => {
    const result = previous.then(run);
    previous = result.catch(() => {});
    return result;
  };
  const switchTo = async (handle: string): Promise<void> => {
    if (current === handle) return;
    current = undefined;
    await send('POST', `${base}/window`, { handle });
    current = handle;
  };

  return {
    keeper,
    version: created.capabilities.browserVersion,
    driverPid: driver.pid ?? 0,
    inWindow: (handle, method, path, body) =>
      oneAtATime(async () => {
        await switchTo(handle);
        return send(method, `${base}${path}`, body);
      }),
    openWindow: () =>
      oneAtATime(async () => {
        await switchTo(keeper);
        const opened = (await send('POST', `${base}/window/new`, { type: 'tab' })) as { handle: string };
        return opened.handle;
      }),
    closeWindow: (handle) =>
      oneAtATime(async () => {
        await switchTo(handle);
        await send('DELETE', `${base}/window`);
        current = undefined;
      }),
    async end() {
      await send('DELETE', base).catch(() => {});
      driver.kill('SIGKILL');
      await exited;
    },
  };
}

async function command(url: string, method: Method, body?: object): Promise<unknown> {
  const answer = await fetch(url, {
    method,
    ...(method === 'POST' && { body: JSON.stringify(body ?? {}) }),
  });
  const { value } = (await answer.json()) as { value: unknown };
  if (answer.ok) return value;
  const { error, message } = value as { error: string; message: string };
  throw new WebDriverError(error, message);
}

/** The driver wants to be told its port. */
async function findFreePort(): Promise<number> {
  const server = createServer();
  const port = await listenOnLoopback(server);
  await new Promise((resolve) => server.close(resolve));
  return port;
}

async function untilReady(ask: () => Promise<unknown>): Promise<void> {
  for (let left = 500; ; left -= 1) {
    try {
      await ask();
      return;
    } catch (error) {
      if (left === 0) throw error;
      await delay(20);
    }
  }
}
