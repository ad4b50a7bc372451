/** Registration against a service worker container of twenty lines: versions move only when a test says so. */
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import {
  type RegisterServiceWorkerOptions,
  registerServiceWorker,
  type ServiceWorkerHandle,
} from '../../src/page/register-service-worker.ts';

class FakeWorker extends EventTarget {
  readonly scriptURL = 'https://app.example/sw.js';
  readonly messages: unknown[] = [];
  state: ServiceWorkerState = 'installing';
  postMessage(message: unknown): void {
    this.messages.push(message);
  }
  become(state: ServiceWorkerState): void {
    this.state = state;
    this.dispatchEvent(new Event('statechange'));
  }
}

class FakeRegistration extends EventTarget {
  installing: FakeWorker | null = null;
  waiting: FakeWorker | null = null;
  active: FakeWorker | null = null;
  update: () => Promise<void> = async () => {};
  unregister = async (): Promise<boolean> => true;
}

/** Does to the slots and the controller what a browser does, in its order. */
class FakeContainer extends EventTarget {
  controller: FakeWorker | null = null;
  readonly registration = new FakeRegistration();
  register = vi.fn(async (_url: string, _options: object) => this.registration);

  startInstall(): FakeWorker {
    const worker = new FakeWorker();
    this.registration.installing = worker;
    this.registration.dispatchEvent(new Event('updatefound'));
    return worker;
  }
  finishInstall(): FakeWorker {
    const worker = this.registration.installing ?? this.startInstall();
    Object.assign(this.registration, { installing: null, waiting: worker });
    worker.become('installed');
    return worker;
  }
  activate(claim: 'claim' | 'no-claim' = 'claim'): FakeWorker {
    const worker = this.registration.waiting ?? this.finishInstall();
    Object.assign(this.registration, { waiting: null, active: worker });
    worker.become('activating');
    worker.become('activated');
    if (claim === 'claim') {
      this.controller = worker;
      this.dispatchEvent(new Event('controllerchange'));
    }
    return worker;
  }
  /** As a page finds things at a later visit. */
  isControlling(): void {
    const worker = Object.assign(new FakeWorker(), { state: 'activated' });
    this.registration.active = worker;
    this.controller = worker;
  }
}

let container: FakeContainer;
let handle: ServiceWorkerHandle | undefined;

beforeEach(() => {
  vi.useFakeTimers();
  container = new FakeContainer();
  browser({ serviceWorker: container });
});

afterEach(() => {
  handle?.close();
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

function browser(navigator: object, isSecureContext = true): void {
  vi.stubGlobal('self', globalThis);
  vi.stubGlobal('location', { href: 'https://app.example/home' });
  vi.stubGlobal('document', { readyState: 'complete' });
  vi.stubGlobal('isSecureContext', isSecureContext);
  vi.stubGlobal('navigator', navigator);
}

/** Registers, and records each status after the first by its name. */
async function start(
  options?: RegisterServiceWorkerOptions,
): Promise<{ handle: ServiceWorkerHandle; trace: string[] }> {
  const started = registerServiceWorker('/sw.js', options);
  handle = started;
  const trace: string[] = [started.status.is];
  started.onStatus((status) => trace.push(status.is));
  await vi.dynamicImportSettled();
  await vi.advanceTimersByTimeAsync(0);
  return { handle: started, trace };
}

test('the first install goes from registering to controlling and is no takeover', async () => {
  const onTakeover = vi.fn();
  container.register.mockImplementation(async () => {
    container.registration.installing = new FakeWorker();
    return container.registration;
  });
  const { trace } = await start({ onTakeover });
  container.activate();
  expect(trace).toEqual(['registering', 'installing', 'activating', 'active', 'controlling']);
  expect(onTakeover).not.toHaveBeenCalled();
});

test('resolves the script against the page and hands scope and type on', async () => {
  await start({ scope: '/app/', type: 'module' });
  expect(container.register).toHaveBeenCalledWith('https://app.example/sw.js', {
    scope: '/app/',
    type: 'module',
  });
});

test('tells of a second and a third update in a tab that is never reloaded', async () => {
  container.isControlling();
  const { trace } = await start();
  for (let update = 1; update <= 3; update += 1) {
    container.startInstall();
    container.finishInstall();
    container.activate();
  }
  const once = ['installing', 'waiting', 'activating', 'active', 'controlling'];
  expect(trace).toEqual(['registering', 'controlling', ...once, ...once, ...once]);
});

test('activateUpdate messages the waiting version, not the one in control', async () => {
  container.isControlling();
  const inControl = container.controller;
  const { handle } = await start();
  const waiting = container.finishInstall();
  const outcome = handle.activateUpdate();
  await vi.advanceTimersByTimeAsync(0);
  expect(waiting.messages).toEqual([{ type: 'SKIP_WAITING' }]);
  expect(inControl?.messages).toEqual([]);
  container.activate();
  expect(await outcome).toBe('activated');
});

test('activateUpdate gives up at the deadline when the script does not listen', async () => {
  container.isControlling();
  const { handle } = await start({ deadlineMs: 3_000 });
  container.finishInstall();
  const outcome = handle.activateUpdate();
  await vi.advanceTimersByTimeAsync(3_000);
  expect(await outcome).toBe('timed-out');
  expect(handle.status.is).toBe('waiting');
});

test('activateUpdate says so when nothing waits', async () => {
  container.isControlling();
  const { handle } = await start();
  expect(await handle.activateUpdate()).toBe('nothing-waiting');
});

test('a takeover is told once however many versions follow', async () => {
  container.isControlling();
  const onTakeover = vi.fn();
  await start({ onTakeover });
  container.activate();
  container.activate();
  await vi.advanceTimersByTimeAsync(0);
  expect(onTakeover).toHaveBeenCalledTimes(1);
});

test('a takeover is told when the new version is activated, since a page that reloads earlier may never hear of it; at the latest after the deadline', async () => {
  container.isControlling();
  const onTakeover = vi.fn();
  await start({ onTakeover, deadlineMs: 3_000 });
  const claiming = (): FakeWorker => {
    const worker = Object.assign(new FakeWorker(), { state: 'activating' });
    container.controller = worker;
    container.dispatchEvent(new Event('controllerchange'));
    return worker;
  };
  const worker = claiming();
  await vi.advanceTimersByTimeAsync(2_999);
  expect(onTakeover).not.toHaveBeenCalled();
  worker.become('activated');
  await vi.advanceTimersByTimeAsync(0);
  expect(onTakeover).toHaveBeenCalledTimes(1);

  const late = vi.fn();
  await start({ onTakeover: late, deadlineMs: 3_000 });
  claiming();
  await vi.advanceTimersByTimeAsync(3_000);
  expect(late).toHaveBeenCalledTimes(1);
});

test('an update that another tab activates is a takeover here too', async () => {
  container.isControlling();
  const onTakeover = vi.fn();
  const { trace } = await start({ onTakeover });
  container.activate();
  await vi.advanceTimersByTimeAsync(0);
  expect(onTakeover).toHaveBeenCalledTimes(1);
  expect(trace.at(-1)).toBe('controlling');
});

test('a page loaded past the service worker is active but not controlled', async () => {
  container.isControlling();
  container.controller = null;
  const { handle } = await start();
  expect(handle.status).toEqual({ is: 'active' });
});

test('a first install that fails is a failure; a failed update leaves the version in control', async () => {
  const { handle } = await start();
  const first = container.startInstall();
  container.registration.installing = null;
  first.become('redundant');
  expect(handle.status).toMatchObject({ is: 'failed', error: { code: 'environment' } });

  container.activate();
  const update = container.startInstall();
  expect(handle.status).toEqual({ is: 'installing', isUpdate: true });
  container.registration.installing = null;
  update.become('redundant');
  expect(handle.status).toEqual({ is: 'controlling' });
});

test.each([
  ['an insecure origin', {}, false, 'insecure-origin'],
  ['a browser without service workers', {}, true, 'missing'],
  ['a sandboxed frame', sandboxed(), true, 'blocked'],
])('on %s every call answers and nothing throws', async (_, navigator, isSecureContext, reason) => {
  browser(navigator, isSecureContext);
  const { handle } = await start();
  expect(handle.status).toEqual({ is: 'unsupported', reason });
  expect(await handle.activateUpdate()).toBe('nothing-waiting');
  expect(await handle.checkForUpdate()).toBe('unsupported');
  expect(await handle.unregister()).toBe(false);
});

function sandboxed(): object {
  return Object.defineProperty({}, 'serviceWorker', {
    get: () => {
      throw new DOMException('The document is sandboxed.', 'SecurityError');
    },
  });
}

test.each([
  ['SecurityError', 'environment'],
  ['TypeError', 'unreachable'],
])('a registration that ends with %s is the status failed, code %s', async (name, code) => {
  container.register.mockRejectedValue(new DOMException('no', name));
  const { handle, trace } = await start();
  expect(trace).toEqual(['registering', 'failed']);
  expect(handle.status).toMatchObject({ error: { code } });
  expect(await handle.checkForUpdate()).toBe('unreachable');
});

test('checkForUpdate says what was found, and that nobody answered', async () => {
  container.isControlling();
  const { handle } = await start({ deadlineMs: 3_000 });
  expect(await handle.checkForUpdate()).toBe('up-to-date');
  container.registration.update = async () => void container.startInstall();
  expect(await handle.checkForUpdate()).toBe('found');
  container.registration.update = () => new Promise(() => {});
  const unanswered = handle.checkForUpdate();
  await vi.advanceTimersByTimeAsync(3_000);
  expect(await unanswered).toBe('unreachable');
});

test('after close no listener is called', async () => {
  container.isControlling();
  const onTakeover = vi.fn();
  const { handle, trace } = await start({ onTakeover });
  handle.close();
  container.activate();
  expect(trace).toEqual(['registering', 'controlling']);
  expect(onTakeover).not.toHaveBeenCalled();
});

test('unregistered stays unregistered, whatever the old registration still says', async () => {
  container.isControlling();
  const { handle } = await start();
  expect(await handle.unregister()).toBe(true);
  container.activate();
  expect(handle.status).toEqual({ is: 'unregistered' });
});

test.each([
  ['http://', undefined],
  ['/sw.js', 0],
])('wrong options throw at once: %s, deadline %s', (url, deadlineMs) => {
  expect(() => registerServiceWorker(url, deadlineMs === undefined ? {} : { deadlineMs })).toThrow(
    expect.objectContaining({ code: 'invalid_option' }),
  );
});
