/** The README says only what is true: its commands exist, and its proofs are tests. */
import { existsSync, readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { expect, test } from 'vitest';

const ROOT = resolve(import.meta.dirname, '..');
const read = (path: string): string => readFileSync(resolve(ROOT, path), 'utf8');
const readme = read('README.md');
const { scripts } = JSON.parse(read('package.json')) as {
  readonly scripts: Readonly<Record<string, string>>;
};

test('every npm script that the README names exists', () => {
  const named = [...readme.matchAll(/npm (?:run )?(test(?::\w+)?|demo|check|bench|build|format)\b/g)].map(
    ([, name = '']) => name,
  );
  expect(named.length).toBeGreaterThan(5);
  expect(named.filter((name) => !(name in scripts))).toEqual([]);
});

const proofs = [...readme.matchAll(/\| `(test\/[^`]+)` › (.+?) \|/g)].map(
  ([, file = '', name = '']) => [file, name] as const,
);

test('the README has its proofs', () => {
  expect(proofs.length).toBeGreaterThan(8);
});

test.each(proofs)('the proof in %s exists: %s', (file, name) => {
  expect(read(file)).toContain(name);
});

test('every file and folder that the README names exists', () => {
  const named = [...readme.matchAll(/`((?:src|test|demo)\/[\w./-]+)`|\]\(([\w./-]+)\)/g)].map(
    ([, code, link]) => code ?? link ?? '',
  );
  expect(named.filter((path) => !existsSync(resolve(ROOT, path)))).toEqual([]);
});
