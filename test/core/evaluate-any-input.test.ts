/** Nothing that can be asked throws or works without end. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { readAttachment } from '../../src/core/evaluate/attachment.ts';
import { evaluate } from '../../src/core/evaluate/evaluate.ts';
import type { EvaluationReason } from '../../src/core/evaluate/evaluation.ts';
import { lookup } from '../kit/flag-lookup.ts';
import { arbEntangledFlags, arbFlags, arbRequest, ask, neededFor, RUNS } from './evaluate-kit.ts';
import { arbNonsenseFlags, arbNonsenseRequest } from './evaluate-nonsense.ts';

const REASONS: Readonly<Record<EvaluationReason, true>> = {
  MATCH: true,
  NO_MATCH: true,
  NO_SEGMENTS: true,
  FLAG_DISABLED: true,
  FLAG_NOT_FOUND: true,
  DEPENDENCY_NOT_MET: true,
  ENTITY_ID_MISSING: true,
};

test('no flag and no request throws, and every answer has a reason from the list', () => {
  const seen = new Set<string>();
  fc.assert(
    fc.property(arbNonsenseFlags, arbNonsenseRequest, (flags, request) => {
      const { reason } = ask(flags, request);
      expect(Object.hasOwn(REASONS, reason)).toBe(true);
      seen.add(reason);
    }),
    { ...RUNS, numRuns: 5_000 },
  );
  expect([...seen].toSorted()).toEqual(Object.keys(REASONS).toSorted());
});

test('an evaluation looks at each constraint and at each dependency at most once, and once more to explain', () => {
  const arbAnyFlags = fc.oneof(arbFlags, arbEntangledFlags);
  fc.assert(
    fc.property(arbAnyFlags, arbRequest, fc.boolean(), (flags, request, enableDebug) => {
      const work = { constraints: 0, flags: 0 };
      const { byKey, ...rest } = lookup(flags);
      const counting = {
        ...rest,
        byKey: (key: string) => {
          work.flags += 1;
          return byKey(key);
        },
      };
      const entityContext = new Proxy(request.entityContext ?? {}, {
        getOwnPropertyDescriptor: (context, name) => {
          work.constraints += 1;
          return Reflect.getOwnPropertyDescriptor(context, name);
        },
      });
      const { steps = [] } = evaluate(counting, { ...request, entityContext, enableDebug });
      const needed = neededFor(request.flagKey ?? '', flags);
      const segments = needed.flatMap((flag) => flag.segments);
      expect(steps.length).toBeLessThanOrEqual(Math.max(1, needed[0]?.segments.length ?? 0));
      expect(work.constraints).toBeLessThanOrEqual(
        segments.flatMap(({ constraints }) => constraints).length + steps.length,
      );
      const dependencies = needed.flatMap(({ dependsOn }) => dependsOn);
      expect(work.flags).toBeLessThanOrEqual(1 + dependencies.length + needed.length);
    }),
    RUNS,
  );
});

test('an attachment of any answer gives the default or what was found, under any name', () => {
  const found = new Set<boolean>();
  fc.assert(
    fc.property(arbNonsenseFlags, arbNonsenseRequest, fc.string(), (flags, request, name) => {
      const result = ask(flags, request);
      const wanted = Object.keys(result.variantAttachment ?? {})[0] ?? name;
      const isAny = (value: unknown): value is unknown => value !== undefined;
      const reader = readAttachment(result);
      const values = [
        reader.string(wanted, 'default'),
        reader.number(wanted, Number.NaN),
        reader.boolean(wanted, false),
        reader.json<unknown>(wanted, 'default', isAny),
      ];
      const defaults = ['default', Number.NaN, false, 'default'];
      for (const [index, { value, reason }] of values.entries()) {
        found.add(reason === 'FOUND');
        if (reason !== 'FOUND') expect(value).toBe(defaults[index]);
        if (result.variantID === null) expect(reason).toBe('NO_VARIANT');
      }
    }),
    { ...RUNS, numRuns: 3_000 },
  );
  expect(found.size).toBe(2);
});
