/** The panel "As whom?" of the demo: entity and context in, answer and explanation out, at every keystroke, at every change, and offline. */
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import { type Demo, startDemo } from '../../demo/start.ts';
import { evaluate } from '../../src/core/evaluate/evaluate.ts';
import type { Browser, Tab } from '../kit/browser.ts';
import { engine } from '../kit/engine-under-test.ts';
import { lookup } from '../kit/flag-lookup.ts';

let demo: Demo;
let browser: Browser;

beforeAll(async () => {
  demo = await startDemo({ port: 0 });
});

beforeEach(async () => {
  browser = await engine.launch({ waitAtMostMs: 25_000 });
});

afterEach(async () => {
  await browser.close();
  await control('reset');
});

afterAll(() => demo.stop());

/** As the buttons of the page, but from outside every page. */
async function control(path: string, body: object = {}): Promise<void> {
  const { origin } = new URL(demo.url);
  const answer = await fetch(`${demo.url}__demo/${path}`, {
    method: 'POST',
    headers: { origin },
    body: JSON.stringify(body),
  });
  expect(answer.status).toBe(200);
}

/** A live tab with all flags. */
async function openTab(): Promise<Tab> {
  const tab = await browser.newTab(demo.url);
  await tab.waitFor(() => document.querySelectorAll('[data-mood=good], [data-flag]').length === 31);
  return tab;
}

function press(tab: Tab, label: string): Promise<unknown> {
  return tab.evaluate((wanted) => {
    const found = [...document.querySelectorAll<HTMLElement>('#as-whom button')].find(
      (each) => each.textContent === wanted || each.getAttribute('aria-label') === wanted,
    );
    if (found === undefined) throw new Error(`There is no button ${wanted}.`);
    found.click();
  }, label);
}

/** As typing does: the whole text at once. The label is that of a screen reader. */
function type(tab: Tab, label: string, text: string): Promise<unknown> {
  return tab.evaluate(
    ([wanted, value]) => {
      const found = [...document.querySelectorAll<HTMLInputElement>('#as-whom input')].findLast(
        (each) => (each.getAttribute('aria-label') ?? each.labels?.[0]?.textContent) === wanted,
      );
      if (found === undefined) throw new Error(`There is no field ${wanted}.`);
      found.value = value as string;
      found.dispatchEvent(new InputEvent('input', { bubbles: true }));
    },
    [label, text],
  );
}

/** `All flags` is the empty key. */
function chooseFlag(tab: Tab, flagKey: string): Promise<unknown> {
  return tab.evaluate((key) => {
    const choice = document.querySelector<HTMLSelectElement>('#as-whom select');
    if (choice === null) throw new Error('There is no choice of flags.');
    choice.value = key;
    choice.dispatchEvent(new Event('change'));
  }, flagKey);
}

interface Shown {
  readonly variant: string;
  readonly reason: string;
  readonly steps: readonly string[];
  readonly attachment: readonly string[];
}

/** What the panel shows for the chosen flag. */
function shownBy(tab: Tab): Promise<Shown> {
  return tab.evaluate(() => {
    const textsOf = (selector: string) =>
      [...document.querySelectorAll(`#as-whom ${selector}`)].map(({ textContent }) => textContent ?? '');
    return {
      variant: textsOf('.verdict strong').join(),
      reason: textsOf('.verdict code').join(),
      steps: textsOf('.steps li > span'),
      attachment: textsOf('.attachment > *'),
    };
  });
}

function waitForVariant(tab: Tab, variant: string): Promise<unknown> {
  return tab.waitFor(
    (wanted) => document.querySelector('#as-whom .verdict strong')?.textContent === wanted,
    variant,
  );
}

test('the panel explains in words what somebody gets, step by step, and reads the attachment as what it stands for', async () => {
  const tab = await openTab();
  const { variant, reason, steps, attachment } = await shownBy(tab);
  expect([variant, reason]).toEqual(['wallet', 'MATCH']);
  expect(steps).toHaveLength(2);
  expect(steps[0]).toContain('"email" is "ana@mail.example"');
  expect(steps[1]).toContain('bucket 659 is within 70 %');
  expect(attachment).toEqual([
    ...['title string', 'Pay from the cart'],
    ...['max_amount number', '2500.5'],
    ...['confirm boolean', 'true'],
    ...['methods json', '["card","wallet","invoice"]'],
  ]);
  const legend = await tab.evaluate(() => document.querySelector('#as-whom .legend')?.textContent);
  expect(legend).toBe('one_tap 0–199control 200–499wallet 500–699left out 700–999');
});

test('every keystroke is an answer: another context, another id, nobody, and a flag it depends on', async () => {
  const tab = await openTab();
  await type(tab, 'Value of email', 'ana@shop.example');
  expect(await shownBy(tab)).toMatchObject({ variant: 'one_tap', reason: 'MATCH' });
  await press(tab, 'Remove email');
  expect((await shownBy(tab)).steps[0]).toContain('no "email"');
  await press(tab, 'Add property');
  expect(await tab.evaluate(() => document.activeElement?.ariaLabel)).toBe('Property');
  await type(tab, 'Property', 'email');
  await type(tab, 'Value of email', 'ana@pay.example');
  expect(await shownBy(tab)).toMatchObject({ variant: 'one_tap' });

  await type(tab, 'Entity id', 'visitor-4');
  expect(await shownBy(tab)).toMatchObject({ variant: 'no variant', reason: 'DEPENDENCY_NOT_MET' });
  await press(tab, 'new_checkout');
  expect(await tab.evaluate(() => document.activeElement === document.querySelector('#as-whom select'))).toBe(
    true,
  );
  expect(await shownBy(tab)).toMatchObject({ variant: 'no variant', reason: 'NO_MATCH' });
  await press(tab, 'Nobody');
  expect(await shownBy(tab)).toMatchObject({ reason: 'ENTITY_ID_MISSING' });
  await press(tab, 'Random entity id');
  expect((await askedBy(tab)).entityID).toMatch(/^visitor-\d+$/);
  expect((await shownBy(tab)).steps.at(-1)).toMatch(/bucket \d+/);
});

/** The entity as it stands in the fields. */
function askedBy(tab: Tab): Promise<{ entityID: string; entityContext: Record<string, string> }> {
  return tab.evaluate(() => {
    const valuesOf = (selector: string) =>
      [...document.querySelectorAll<HTMLInputElement>(`#as-whom ${selector}`)].map(({ value }) => value);
    const values = valuesOf('.context input:last-of-type');
    const properties = valuesOf('.context input:first-of-type');
    return {
      entityID: valuesOf('.entity input')[0] ?? '',
      entityContext: Object.fromEntries(properties.map((property, row) => [property, values[row] ?? ''])),
    };
  });
}

test('all flags at once: for every visitor, the table and the cards say what the server would, and each place lies in the slice of its variant', async () => {
  const tab = await openTab();
  await chooseFlag(tab, '');
  const flags = [...demo.server.source.catalogue.records.values()].map(({ flag }) => flag);
  const seen = new Set<string>();
  for (const visitor of ['Ana, premium, DE', 'Ben, free, US', 'Beta tester', 'Student', 'Nobody']) {
    await press(tab, visitor);
    const asked = await askedBy(tab);
    const answers = await tab.evaluate(() =>
      [...document.querySelectorAll<HTMLElement>('#as-whom [data-answer]')].map((row) => {
        const card = document.querySelector(`[data-flag="${row.dataset.answer}"]`);
        const place = Number.parseFloat(
          card?.querySelector<HTMLElement>('.place')?.style.getPropertyValue('--at') ?? '-1',
        );
        const slice = [...(card?.querySelectorAll('i') ?? [])].find(({ style }) => {
          const from = Number.parseFloat(style.left);
          return from <= place && place < from + Number.parseFloat(style.width);
        });
        return {
          flagKey: row.dataset.answer,
          variantKey: row.querySelector('td')?.textContent,
          reason: row.querySelector('code')?.textContent,
          onCard: card?.querySelector('.answer')?.textContent,
          slice: slice?.title.split(' ')[0],
        };
      }),
    );
    expect(answers).toHaveLength(30);
    for (const { flagKey = '', variantKey, reason, onCard, slice } of answers) {
      const expected = evaluate(lookup(flags), { flagKey, ...asked });
      expect([flagKey, variantKey, reason]).toEqual([flagKey, expected.variantKey ?? '–', expected.reason]);
      if (expected.variantKey !== null) expect([flagKey, onCard]).toEqual([flagKey, expected.variantKey]);
      expect([flagKey, slice]).toEqual([flagKey, expected.variantKey ?? undefined]);
      seen.add(expected.reason);
    }
  }
  const reasons = ['DEPENDENCY_NOT_MET', 'ENTITY_ID_MISSING', 'FLAG_DISABLED', 'MATCH', 'NO_MATCH'];
  expect([...seen].sort()).toEqual(reasons);
});

test('an edit on the server is in the panel and on the card in the same frame, without a reload, each tab with its own entity', async () => {
  const tab = await openTab();
  const other = await openTab();
  await press(other, 'Beta tester');
  await waitForVariant(other, 'one_tap');
  await tab.evaluate(() => {
    const frames: string[] = [];
    const look = () => {
      const inPanel = document.querySelector('#as-whom .verdict strong')?.textContent;
      const onCard = document.querySelector('[data-flag=new_payment_flow] .answer')?.textContent;
      const frame = `${inPanel}, ${onCard}`;
      if (frames.at(-1) !== frame) frames.push(frame);
      requestAnimationFrame(look);
    };
    Object.assign(window, { frames });
    look();
  });

  await control('flags/2/segments/140/rollout', { rolloutPercent: 60 });
  await waitForVariant(tab, 'no variant');
  expect((await shownBy(tab)).steps[1]).toContain('bucket 659 is not within 60 %');
  await control('flags/2/enabled', { enabled: false });
  for (const each of [tab, other])
    await each.waitFor(() => document.querySelector('.verdict code')?.textContent === 'FLAG_DISABLED');
  await control('reset');
  await waitForVariant(tab, 'wallet');
  await waitForVariant(other, 'one_tap');
  const frames = await tab.waitFor(async () => {
    const { frames } = window as unknown as { frames: string[] };
    await new Promise(requestAnimationFrame);
    return frames.at(-1) === 'wallet, wallet' && frames;
  });
  for (const frame of frames || [])
    expect(['wallet, wallet', 'no variant, no variant', 'no variant, off']).toContain(frame);
});

test('the slider edits the rollout on the server, and what comes back decides', async () => {
  const tab = await openTab();
  const slideTo = (percent: string) =>
    tab.evaluate((value) => {
      const slider = document.querySelector<HTMLInputElement>('#as-whom [type=range]');
      if (slider === null) throw new Error('There is no slider.');
      slider.value = value;
      for (const name of ['input', 'change']) slider.dispatchEvent(new Event(name, { bubbles: true }));
    }, percent);
  await type(tab, 'Value of connection', 'slow');
  await slideTo('65');
  await waitForVariant(tab, 'no variant');
  const { steps } = await shownBy(tab);
  expect(steps[1]).toContain('not within 65 %');
  expect(demo.server.source.catalogue.byKey('new_payment_flow')?.flag.segments[1]?.rolloutPercent).toBe(65);

  // An edit that cannot come back yet is said to be on its way, and shown nowhere.
  await control('network', { state: 'cut' });
  await tab.waitFor(() => document.querySelector('[data-mood=bad]') !== null);
  await slideTo('80');
  await tab.waitFor(() => document.querySelector<HTMLInputElement>('[type=range]')?.value === '65');
  const isAwaited = () =>
    tab.evaluate(
      () => document.querySelector('[data-flag=new_payment_flow] .awaited')?.checkVisibility() ?? false,
    );
  expect(await isAwaited()).toBe(true);
  await control('network', { state: 'restored' });
  await waitForVariant(tab, 'wallet');
  expect(await isAwaited()).toBe(false);
});

test('with site and flag server dead, a reload keeps what was asked, and every keystroke is still answered', async () => {
  const tab = await openTab();
  await press(tab, 'Beta tester');
  await type(tab, 'Entity type', 'tester');
  await tab.waitFor(() => document.documentElement.dataset.serviceWorker === 'controlling');
  await demo.stop();
  try {
    await tab.reload();
    await tab.waitFor(() => document.querySelector('.notice.offline:not([hidden])') !== null);
    await waitForVariant(tab, 'one_tap');
    const hint = await tab.evaluate(() => document.querySelector('.explanation .hint')?.textContent);
    expect(hint).toBe('For tester visitor-3318 · depends on new_checkout (express)');
    await type(tab, 'Value of email', 'chloe@mail.example');
    expect(await shownBy(tab)).toMatchObject({ variant: 'no variant', reason: 'NO_MATCH' });
  } finally {
    demo = await startDemo({ port: 0 });
  }
});

test('hostile text is shown as text, and something else in the place of what is kept is no question', async () => {
  const tab = await openTab();
  const hostile = '<img src="x" onerror="document.title=1"></code><script>document.title=2</script>';
  await type(tab, 'Value of email', hostile);
  await press(tab, 'Add property');
  await type(tab, 'Property', '__proto__');
  await type(tab, 'Value of __proto__', hostile);
  await type(tab, 'Entity id', hostile);
  await type(tab, 'Entity type', hostile);
  const before = await shownBy(tab);
  expect(before.steps[0]).toContain(JSON.stringify(hostile));
  await tab.reload();
  await waitForVariant(tab, before.variant);
  expect(await shownBy(tab)).toEqual(before);
  expect(await askedBy(tab)).toMatchObject({ entityID: hostile, entityContext: { email: hostile } });
  expect(await tab.evaluate(() => document.querySelectorAll('#as-whom :is(img, script)').length)).toBe(0);
  expect(await tab.evaluate(() => document.title)).toBe('Flagent offline demo');

  const whom = { entityID: 'visitor-4', entityType: '', context: [] };
  const strange = [
    { whom: { ...whom, entityID: 1 }, flagKey: null },
    { whom: { ...whom, context: [{ property: 'plan' }] }, flagKey: 'new_payment_flow' },
    { whom: { ...whom, context: 'plan' }, flagKey: 'new_payment_flow' },
    { whom, flagKey: 2 },
    { flagKey: null },
  ];
  for (const kept of ['{', '7', ...strange.map((question) => JSON.stringify(question))]) {
    await tab.evaluate((text) => sessionStorage.setItem('question', text), kept);
    await tab.reload();
    await waitForVariant(tab, 'wallet');
  }
});
