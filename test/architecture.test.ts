/** Who may import whom, and what core must not touch. The compiler holds most of it; this holds the rest. */
import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { expect, test } from 'vitest';

const SRC = resolve(import.meta.dirname, '../src');

/** Room → rooms it may import; `room:type` where only types may pass, `room:lazy` where it is a file of its own, loaded when it is needed. Entries (shared-worker, cli, testing, index) choose concrete parts. */
const MAY_IMPORT: Record<string, readonly string[]> = {
  core: [],
  system: ['core'],
  transport: ['core', 'system'],
  storage: ['core'],
  hub: ['core', 'system:type', 'transport:type', 'storage:type'],
  host: ['core', 'system', 'transport', 'storage', 'hub'],
  'shared-worker': ['system', 'host'],
  standalone: ['core', 'system', 'transport', 'storage', 'hub'],
  page: ['core', 'system', 'storage', 'hub:type', 'host:lazy'],
  'service-worker': ['core', 'storage'],
  server: ['core'],
  cli: ['core', 'system', 'transport', 'hub', 'server'],
  testing: ['core', 'server'],
  'index.ts': ['core', 'page', 'standalone'],
};

/** Rooms whose code asks the clock or chance directly are listed; all others get both passed in. */
const MAY_ASK_CLOCK_AND_CHANCE = ['system', 'server', 'cli', 'testing'];

const IMPORT = /^(?:import|export)\s+(type\s)?[^'"]*?from\s+['"](\.[^'"]+)['"]|\b(import\()'(\.[^']+)'/gms;

const files = readdirSync(SRC, { recursive: true, encoding: 'utf8' }).filter((name) => /\.tsx?$/.test(name));
const sources = files.map((name) => ({ name, text: readFileSync(join(SRC, name), 'utf8') }));
const roomOf = (name: string): string => name.split('/')[0] ?? '';

function importsAgainstTheArrow(): string[] {
  return sources.flatMap(({ name, text }) =>
    [...text.matchAll(IMPORT)].flatMap(([, typeWord, eager, lazyWord, lazy]) => {
      const target = eager ?? lazy ?? '';
      const from = roomOf(name);
      const to = roomOf(relative(SRC, resolve(SRC, dirname(name), target)));
      const allowed = MAY_IMPORT[from] ?? [];
      const how = typeWord ? 'type' : lazyWord ? 'lazy' : 'whole';
      const isAllowed = from === to || allowed.includes(to) || allowed.includes(`${to}:${how}`);
      return isAllowed ? [] : [`${name} → ${target}`];
    }),
  );
}

test('every room imports only the rooms below it', () => {
  expect(importsAgainstTheArrow()).toEqual([]);
});

test('every room has its row in the import table', () => {
  expect([...new Set(files.map(roomOf))].filter((room) => !(room in MAY_IMPORT))).toEqual([]);
});

test('only the rooms at the edge read the clock or roll dice', () => {
  const impure = /\bDate\.now\(|\bnew Date\(\)|\bMath\.random\(|\bperformance\.now\(|\bcrypto\./;
  const offenders = sources.filter(
    ({ name, text }) => !MAY_ASK_CLOCK_AND_CHANCE.includes(roomOf(name)) && impure.test(text),
  );
  expect(offenders.map(({ name }) => name)).toEqual([]);
});

test('core imports no package', () => {
  const packages = /from\s+['"][^.'"]/;
  expect(sources.filter(({ name, text }) => roomOf(name) === 'core' && packages.test(text))).toEqual([]);
});
