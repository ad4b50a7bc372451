/** What the file of `flagent-offline types` lets the compiler see, shown with the real compiler. */
import fc from 'fast-check';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { declareFlags } from '../../src/cli/declare-flags.ts';
import type { Flag, Variant } from '../../src/core/model.ts';
import { buildFlag } from '../kit/flags.ts';
import { createTypedProject, type TypedProject } from '../kit/typed-keys/typed-project.ts';

// The compiler takes half a second when it is alone.
vi.setConfig({ testTimeout: 120_000, hookTimeout: 120_000 });

let project: TypedProject;
beforeAll(async () => {
  project = await createTypedProject();
});
afterAll(() => project?.remove());

/** A flag with these variants: attachments by key. */
function flagWith(key: string, variants: Readonly<Record<string, Variant['attachment']>>): Flag {
  const list = Object.entries(variants).map(([variant, attachment], id) => ({
    id,
    key: variant,
    attachment,
  }));
  return buildFlag(key, { variants: list });
}

const DECLARED = declareFlags(
  [
    flagWith('theme', {
      dark: { colour: 'black', font: 'serif' },
      light: { colour: 'white' },
      control: null,
    }),
    flagWith('limits', { on: { max_items: '20' }, off: { max_items: '10' } }),
    flagWith('plain', { on: null, control: null }),
    flagWith('bare', {}),
  ],
  [],
);

const HEAD = `
import {
  type Attachment, createFlagClient, type EvaluationResult, FlagentSSEClient, FlagentWebSocketClient, type FlagKey, readAttachment, type VariantKey,
} from 'flagent-offline';
type Same<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false;
const flags = createFlagClient({ url: 'https://flags.example.com' });
const socket = new FlagentWebSocketClient({ url: 'https://flags.example.com' });
const theme = flags.evaluateNow({ flagKey: 'theme' });
const limits = await flags.evaluate({ flagKey: 'limits', entityID: 'a' });
const [either] = await flags.evaluateBatch({ flagKeys: ['theme', 'limits'], entities: [{ entityID: 'a' }] });
if (either === undefined) throw new Error('an empty answer');
const isText = (value: unknown): value is string => typeof value === 'string';
`;

/** Each line that must not compile is followed by the code of the only complaint about it. */
const WRONG = `${HEAD}
void flags.getFlag('them'); // TS2345
flags.peekFlag('them'); // TS2345
void flags.isEnabled('them'); // TS2345
void flags.evaluate({ flagKey: 'them' }); // TS2820
flags.evaluateNow({ flagKey: 'them', entityID: 'a' }); // TS2820
void flags.evaluateBatch({ flagKeys: ['theme', 'them'], entities: [] }); // TS2820
flags.subscribe('them', () => {}); // TS2345
flags.subscribe({ flagKeys: ['theme', 'them'] }, () => {}); // TS2820
flags.subscribe({ segmentsOf: 'them' }, () => {}); // TS2820
new FlagentSSEClient({ url: 'https://flags.example.com' }).subscribe({ segmentsOf: 'them' }, () => {}); // TS2820
socket.evaluate({ flagKey: 'them' }); // TS2820
socket.evaluate({ flagKey: 'theme' }).then(({ variantKey }) => variantKey === 'drak'); // TS2367
if (theme.variantKey === 'drak') console.log(); // TS2367
if (limits.variantKey === 'dark') console.log(); // TS2367
if (either.variantKey === 'drak') console.log(); // TS2367
switch (theme.variantKey) {
  case 'drak': // TS2678
}
console.log(theme.variantAttachment?.color); // TS2551
console.log(flags.evaluateNow({ flagKey: 'plain' }).variantAttachment?.colour); // TS2339
readAttachment(theme).string('color', 'black'); // TS2345
readAttachment(limits).number('max', 20); // TS2345
readAttachment(limits).boolean('colour', true); // TS2345
readAttachment(either).json('color', '', isText); // TS2345
readAttachment(flags.evaluateNow({ flagKey: 'plain' })).string('colour', ''); // TS2345
export const key: FlagKey = 'them'; // TS2820
`;

/** Compiles with the file and without it. */
const RIGHT = `${HEAD}
void flags.getFlag('theme');
flags.peekFlag('plain');
void flags.isEnabled('bare');
flags.subscribe('theme', ({ flagKey }) => console.log(flagKey === 'any'));
flags.subscribe({ flagKeys: ['theme', 'limits'] }, () => {});
flags.subscribe({ segmentsOf: 'plain' }, () => {});
flags.subscribe({ tags: ['any'] }, () => {});
new FlagentSSEClient({ url: 'https://flags.example.com' }).subscribe('theme', () => {});
socket.evaluate({ flagKey: 'theme' }).then(({ variantKey }) => variantKey === 'dark');
if (theme.variantKey === 'dark' || limits.variantKey === 'off' || either.variantKey === 'on') console.log();
console.log(theme.variantAttachment?.colour.length, theme.variantAttachment?.font?.length);
readAttachment(theme).string('font', 'sans');
readAttachment(limits).number('max_items', 20);
readAttachment(either).string('font', 'sans');
readAttachment(either).number('max_items', 20);
const show = (result: EvaluationResult): string => result.variantKey ?? readAttachment(result).string('any', '').value;
[theme, limits, either, flags.evaluateNow({ flagID: 3 }), flags.evaluateNow({ flagKey: 'bare' })].map(show);
readAttachment(JSON.parse('{}')).string('any', '');
const fromOutside = new URLSearchParams(location.search).get('flag') ?? '';
flags.peekFlag(fromOutside as FlagKey);
flags.peekFlags().get(fromOutside);
export const hasVariant = <K extends FlagKey>(flagKey: K, variant: VariantKey<K>): boolean =>
  flags.evaluateNow({ flagKey }).variantKey === variant;
hasVariant('theme', 'dark');
`;

const NARROW = `${HEAD}
export const keys: Same<FlagKey, 'theme' | 'limits' | 'plain' | 'bare'> = true;
export const one: Same<typeof theme.variantKey, 'dark' | 'light' | 'control' | null> = true;
export const both: Same<typeof either.variantKey, 'dark' | 'light' | 'control' | 'on' | 'off' | null> = true;
export const none: Same<VariantKey<'bare'>, never> = true;
export const texts: Same<Attachment<'theme'>, { readonly colour: string; readonly font?: string }> = true;
export const noTexts: Same<keyof Attachment<'plain'>, never> = true;
const byID = flags.evaluateNow({ flagID: 3 });
export const all: Same<typeof byID.variantKey, 'dark' | 'light' | 'control' | 'on' | 'off' | null> = true;
`;

const WIDE = `${HEAD}
export const keys: Same<FlagKey, string> = true;
export const one: Same<typeof theme.variantKey, string | null> = true;
export const both: Same<typeof either.variantKey, string | null> = true;
export const texts: Same<typeof theme.variantAttachment, Readonly<Record<string, string>> | null> = true;
`;

/** `main.ts:12 TS2345` for each line that says so itself. */
function markedLines(source: string): readonly string[] {
  return source.split('\n').flatMap((line, index) => {
    const [, code] = /\/\/ (TS\d+)$/.exec(line) ?? [];
    return code === undefined ? [] : [`main.ts:${index + 1} ${code}`];
  });
}

test.each(['bundler', 'nodenext'] as const)(
  'with the file a wrong key, variant or attachment name does not compile (%s)',
  async (resolution) => {
    const files = { 'main.ts': WRONG, 'flags.d.ts': DECLARED };
    expect(markedLines(WRONG).length).toBeGreaterThan(20);
    expect(await project.complaints(files, resolution)).toEqual(markedLines(WRONG));
  },
);

test('with the file what is right compiles and is as narrow as the flags', async () => {
  const files = { 'main.ts': RIGHT, 'narrow.ts': NARROW, 'flags.d.ts': DECLARED };
  expect(await project.complaints(files)).toEqual([]);
});

test.each([
  ['without the file', {}],
  ['with a file of no flags', { 'flags.d.ts': declareFlags([], []) }],
])('%s everything compiles as strings', async (_, files) => {
  const sources = { 'main.ts': WRONG, 'right.ts': RIGHT, 'wide.ts': WIDE };
  expect(await project.complaints({ ...files, ...sources })).toEqual([]);
});

test('the narrow types are no accident: without the file they are others', async () => {
  expect(await project.complaints({ 'main.ts': NARROW })).not.toEqual([]);
  expect(await project.complaints({ 'main.ts': WIDE, 'flags.d.ts': DECLARED })).not.toEqual([]);
});

test('whatever the texts, the file compiles and has exactly these keys, variants and names', async () => {
  const texts = [
    ...['*/', '/*', '//', '`${', '\\', '"', "'", 'a-b.c/d:e', '123', '1e3', '-1', ' ', '\n', '\r\n', '\t'],
    ...[
      '\u2028',
      '\u2029',
      '\u202e',
      '\ufeff',
      '\0',
      '\u0085',
      '\u{1f4a5}',
      '\ud800',
      '\udc00',
      '\u00e9',
      'e\u0301',
    ],
    ...[
      '__proto__',
      'constructor',
      '[Symbol.iterator]',
      '}',
      '\\u0061',
      '*/ } }',
      'default',
      'new',
      'readonly',
    ],
    ...fc.sample(fc.string({ unit: 'binary', minLength: 1, maxLength: 12 }), { numRuns: 200, seed: 5 }),
  ];
  const keys = [...new Set(texts)];
  const flags = keys.map((key, id) => {
    const attachment = Object.fromEntries([[key, 'text']]);
    return buildFlag(key, { id, description: `${key} */ ${key}`, variants: [{ id, key, attachment }] });
  });
  const main = `
    import type { Attachment, FlagKey, VariantKey } from 'flagent-offline';
    export const keys: { [K in FlagKey]: readonly [VariantKey<K>, keyof Attachment<K>] } = {
      ${keys.map((key) => `[${JSON.stringify(key)}]: [${JSON.stringify(key)}, ${JSON.stringify(key)}]`).join(',\n')}
    };`;
  const files = { 'main.ts': main, 'flags.d.ts': declareFlags(flags, keys) };
  expect(await project.complaints(files)).toEqual([]);
});

test('the same flags give the same file, in whatever order they and their variants come', () => {
  const variants = [
    { id: 1, key: 'b', attachment: { y: '1', x: '2' } },
    { id: 2, key: 'a', attachment: { x: '3', y: '4' } },
  ];
  const flags = [buildFlag('b', { variants }), buildFlag('B'), buildFlag('a')];
  const turned = [...flags, buildFlag('b', { variants: variants.toReversed() })].slice(1).toReversed();
  expect(declareFlags(turned, ['t'])).toBe(declareFlags(flags, ['t']));
});
