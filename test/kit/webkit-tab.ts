/** A tab over a WebDriver window. Commands of all tabs wait for each other, so none waits in the page for longer than a moment. */
import { writeFile } from 'node:fs/promises';
import type { Tab } from './browser.ts';
import { cannot } from './capabilities.ts';
import { callInPage, waitFor } from './wait-for.ts';
import { WebDriverError, type WebKitSession } from './webkit-session.ts';

/** How long one command may wait in a page for an evaluation to settle; other tabs wait as long. */
const LOOK_FOR_MS = 25;

export async function createWebKitTab(session: WebKitSession, waitAtMostMs: number): Promise<Tab> {
  const handle = await session.openWindow();
  const complaints: string[] = [];
  const evaluate = (expression: string): Promise<unknown> =>
    evaluateInWindow(session, handle, expression, complaints);
  const waitForAnswer = (ask: string): Promise<unknown> =>
    waitFor({ ask, waitAtMostMs, complaints, evaluate, wasNavigation });

  return {
    complaints,
    async goto(url) {
      await session.inWindow(handle, 'POST', '/url', { url });
      // The driver calls a page that did not load a success.
      const arrived = await evaluate('location.href');
      if (arrived === 'about:blank' && url !== arrived) throw new Error(`WebKit could not load ${url}.`);
    },
    async reload() {
      await session.inWindow(handle, 'POST', '/refresh');
    },
    async goBack() {
      const left = await evaluate('location.href');
      await session.inWindow(handle, 'POST', '/back');
      await waitForAnswer(`location.href !== ${JSON.stringify(left)}`);
    },
    evaluate: (run, ...[arg]) => evaluate(callInPage(run, arg)) as never,
    waitFor: (ask, ...[arg]) => waitForAnswer(callInPage(ask, arg)) as never,
    async screenshot(path) {
      const png = (await session.inWindow(handle, 'GET', '/screenshot')) as string;
      await writeFile(path, png, 'base64');
    },
    crash: () => cannot('webkit', 'crashTab'),
    freeze: () => cannot('webkit', 'freeze'),
    unfreeze: () => cannot('webkit', 'freeze'),
    close: () => session.closeWindow(handle),
  };
}

type Look =
  | { readonly is: 'value'; readonly value?: unknown; readonly complaints: readonly string[] }
  | { readonly is: 'error'; readonly message: string; readonly complaints: readonly string[] }
  | { readonly is: 'open'; readonly complaints: readonly string[] }
  | { readonly is: 'gone'; readonly complaints: readonly string[] };

class PageLeft extends Error {
  override readonly name = 'PageLeft';
}

/** Starts the evaluation in the page and looks again and again, until it has settled or its page has gone. */
async function evaluateInWindow(
  session: WebKitSession,
  handle: string,
  expression: string,
  complaints: string[],
): Promise<unknown> {
  const id = crypto.randomUUID();
  let start = `async () => (${expression})`;
  for (;;) {
    const look = await lookInto(session, handle, id, start);
    complaints.push(...look.complaints);
    if (look.is === 'value') return look.value;
    if (look.is === 'error') throw new Error(look.message);
    if (look.is === 'gone') throw new PageLeft(`The page was left while it evaluated ${expression}`);
    start = 'undefined';
  }
}

async function lookInto(session: WebKitSession, handle: string, id: string, start: string): Promise<Look> {
  const script = `
    const tell = arguments[arguments.length - 1];
    const complaints = window[Symbol.for('complaints of this page')]?.splice(0) ?? [];
    const evaluations = (window[Symbol.for('evaluations of the test')] ??= new Map());
    const start = ${start};
    if (start) {
      evaluations.set('${id}', start().then(
        (value) => ({ is: 'value', value }),
        (error) => ({ is: 'error', message: error instanceof Error ? error + '\\n' + error.stack : String(error) }),
      ));
    }
    const open = new Promise((resolve) => setTimeout(resolve, ${LOOK_FOR_MS}, { is: 'open' }));
    Promise.race([evaluations.get('${id}') ?? { is: 'gone' }, open]).then((look) => {
      if (look.is !== 'open') evaluations.delete('${id}');
      tell(JSON.stringify({ ...look, complaints }));
    });`;
  try {
    return JSON.parse(
      (await session.inWindow(handle, 'POST', '/execute/async', { script, args: [] })) as string,
    );
  } catch (error) {
    if (isPageLeft(error)) throw new PageLeft(`The page was left: ${(error as Error).message}`);
    throw error;
  }
}

/** The driver's words for a page that went away under a script. */
function isPageLeft(error: unknown): boolean {
  return error instanceof WebDriverError && /navigat|unload|different page|context/i.test(error.message);
}

function wasNavigation(error: Error): boolean {
  return error instanceof PageLeft;
}
