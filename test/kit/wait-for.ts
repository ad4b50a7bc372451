/** Asks a page until it agrees, whatever drives the page. */

const ASK_EVERY_MS = 10;

/** The call as source text, which a page evaluates whatever its content security policy. */
export function callInPage(run: (arg: never) => unknown, arg: unknown): string {
  return `(${run})(${arg === undefined ? '' : JSON.stringify(arg)})`;
}

export interface Wait {
  /** An expression. */
  readonly ask: string;
  readonly waitAtMostMs: number;
  readonly complaints: readonly string[];
  /** Evaluates an expression in the page and gives its awaited value. */
  readonly evaluate: (expression: string) => Promise<unknown>;
  /** Whether `evaluate` failed because the page went away under it; another page comes. */
  readonly wasNavigation: (error: Error) => boolean;
}

export async function waitFor(wait: Wait): Promise<unknown> {
  const deadlineMs = Date.now() + wait.waitAtMostMs;
  let lastAnswer = 'none';
  while (Date.now() < deadlineMs) {
    const outcome = await askInPage(wait, deadlineMs - Date.now());
    if ('answer' in outcome) return outcome.answer;
    lastAnswer = outcome.lastAnswer;
  }
  const { waitAtMostMs, ask, complaints } = wait;
  throw new Error(
    `Waited ${waitAtMostMs} ms for ${ask}; the last answer was ${lastAnswer}.` +
      (complaints.length > 0 ? `\nThe page complains: ${complaints.join('\n')}` : ''),
  );
}

type Outcome = { readonly answer: unknown } | { readonly lastAnswer: string };

/** Asks until the answer is truthy or the time is up; a navigation ends this round, and the caller begins another. */
async function askInPage({ ask, evaluate, wasNavigation }: Wait, forMs: number): Promise<Outcome> {
  const round = `(async () => {
    const deadlineMs = performance.now() + ${forMs};
    const timeIsUp = new Promise((resolve) => setTimeout(resolve, ${forMs}));
    let lastAnswer = 'still open';
    do {
      try {
        const answer = await Promise.race([${ask}, timeIsUp]);
        if (answer) return { answer };
        if (performance.now() < deadlineMs) lastAnswer = JSON.stringify(answer) ?? String(answer);
      } catch (error) {
        lastAnswer = 'the error ' + error;
      }
      await new Promise((resolve) => setTimeout(resolve, ${ASK_EVERY_MS}));
    } while (performance.now() < deadlineMs);
    return { lastAnswer };
  })()`;
  try {
    return (await evaluate(round)) as Outcome;
  } catch (error) {
    if (!wasNavigation(error as Error)) throw error;
    return { lastAnswer: (error as Error).message };
  }
}
