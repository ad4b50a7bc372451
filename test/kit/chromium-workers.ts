/** SharedWorkers seen from outside, over the DevTools protocol: playwright does not know them. */
import type { Browser, CDPSession } from 'playwright-core';
import { callInPage } from './wait-for.ts';

/** Ends every SharedWorker as a crash would: no event, no goodbye. */
export async function killSharedWorkers(program: Browser): Promise<void> {
  await withSession(program, async (session) => {
    const targets = await sharedWorkers(session);
    if (targets.length === 0) throw new Error('There is no SharedWorker to kill.');
    for (const targetId of targets) await session.send('Target.closeTarget', { targetId });
  });
}

/** Runs a function in the one SharedWorker there is, and gives its awaited result as JSON. */
export async function evaluateInSharedWorker(
  program: Browser,
  run: (arg: never) => unknown,
  arg: unknown,
): Promise<unknown> {
  return withSession(program, async (session) => {
    const [targetId, ...others] = await sharedWorkers(session);
    if (targetId === undefined || others.length > 0) {
      throw new Error(`Expected one SharedWorker, found ${targetId === undefined ? 0 : others.length + 1}.`);
    }
    const { sessionId } = await session.send('Target.attachToTarget', { targetId });
    const answer = await sendTo(session, sessionId, 'Runtime.evaluate', {
      expression: callInPage(run, arg),
      awaitPromise: true,
      returnByValue: true,
    });
    await session.send('Target.detachFromTarget', { sessionId });
    if (answer.exceptionDetails !== undefined) {
      throw new Error(`The SharedWorker threw: ${JSON.stringify(answer.exceptionDetails)}`);
    }
    return answer.result.value;
  });
}

async function withSession<T>(program: Browser, use: (session: CDPSession) => Promise<T>): Promise<T> {
  const session = await program.newBrowserCDPSession();
  try {
    return await use(session);
  } finally {
    await session.detach();
  }
}

async function sharedWorkers(session: CDPSession): Promise<readonly string[]> {
  const { targetInfos } = await session.send('Target.getTargets', { filter: [{ type: 'shared_worker' }] });
  return targetInfos.map((info) => info.targetId);
}

interface Evaluated {
  readonly result: { readonly value?: unknown };
  readonly exceptionDetails?: unknown;
}

/** A command inside a session of its own: wrapped into a message, the answer comes as an event. */
async function sendTo(
  session: CDPSession,
  sessionId: string,
  method: string,
  params: object,
): Promise<Evaluated> {
  const id = 1;
  const answered = new Promise<Evaluated>((resolve, reject) => {
    session.on('Target.receivedMessageFromTarget', (event) => {
      if (event.sessionId !== sessionId) return;
      const message = JSON.parse(event.message) as {
        id?: number;
        result: Evaluated;
        error?: { message: string };
      };
      if (message.id !== id) return;
      if (message.error === undefined) resolve(message.result);
      else reject(new Error(`${method}: ${message.error.message}`));
    });
  });
  await session.send('Target.sendMessageToTarget', {
    sessionId,
    message: JSON.stringify({ id, method, params }),
  });
  return answered;
}
