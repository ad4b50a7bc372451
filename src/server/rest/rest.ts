/** Runs the table of endpoints on Hono: access, ids, bodies, errors and wrong methods are the same for all of them. */
import type { IncomingMessage, ServerResponse } from 'node:http';
import { getRequestListener, RequestError } from '@hono/node-server';
import { type Context, Hono } from 'hono';
import { FlagError } from '../../core/errors.ts';
import { fail } from '../../core/protocol/read.ts';
import type { CheckAccess } from '../access.ts';
import type { EncodedSnapshots } from '../encoded.ts';
import { errorAnswer, notFound } from '../http-error.ts';
import type { FlagSource } from '../sources/contract.ts';
import { STREAM_PATH } from '../sse-endpoint.ts';
import { readJsonBody } from './body.ts';
import { bulkRoutes } from './bulk-routes.ts';
import { evaluationRoutes } from './evaluation-routes.ts';
import { flagRoutes } from './flag-routes.ts';
import { type HealthCounts, healthRoutes } from './health-routes.ts';
import type { Answer, Ask, Route } from './route.ts';
import { segmentRoutes } from './segment-routes.ts';
import { variantAndTagRoutes } from './variant-and-tag-routes.ts';

const BASE = '/api/v1';
const MAX_BODY_BYTES = 1024 * 1024;

export interface RestOptions {
  readonly source: FlagSource;
  readonly snapshots: EncodedSnapshots;
  readonly checkAccess: CheckAccess;
  readonly report: (error: unknown) => void;
  readonly counts: () => HealthCounts;
  readonly nowMs: () => number;
}

export type RequestListener = (request: IncomingMessage, response: ServerResponse) => void;

export function createRest({
  source,
  snapshots,
  checkAccess,
  report,
  counts,
  nowMs,
}: RestOptions): RequestListener {
  const app = new Hono();
  const routes = [
    ...healthRoutes(source, counts),
    ...bulkRoutes(source, snapshots),
    ...flagRoutes(source),
    ...segmentRoutes(source),
    ...variantAndTagRoutes(source),
    ...evaluationRoutes(source, nowMs),
  ];

  for (const route of routes) {
    app.on(route.method, BASE + route.path, async (context) => {
      if (route.scope !== 'none') checkAccess(context.req.header('authorization'), route.scope);
      return toResponse(await route.answer(askOf(context, route)));
    });
  }
  for (const [path, methods] of methodsByPath(routes)) {
    app.all(path, () => wrongMethod(methods));
  }
  app.notFound(({ req }) =>
    fromError(notFound(req.path, `This server answers below ${BASE}, such as ${BASE}/flags.`)),
  );
  app.onError(fromError);

  function fromError(error: unknown): Response {
    const { status, headers, body } = errorAnswer(withoutFramework(error), report);
    return toResponse({ status, headers, json: body });
  }

  const listener = getRequestListener(app.fetch, { overrideGlobalObjects: false, errorHandler: fromError });
  return (request, response) => void listener(request, response).catch(report);
}

/** A request that is no request, such as one with an impossible Host header. */
function withoutFramework(error: unknown): unknown {
  if (!(error instanceof RequestError)) return error;
  return new FlagError(
    'invalid_data',
    'The request has no valid host and path. Correct its Host header and URL.',
  );
}

function askOf(context: Context, { maxBodyBytes = MAX_BODY_BYTES }: Route): Ask {
  const { req } = context;
  return {
    id(name) {
      const text = req.param(name) ?? '';
      return /^\d{1,15}$/.test(text) ? Number(text) : fail(`${name} in the path`, 'a whole number', text);
    },
    query: new URL(req.url).searchParams,
    header: (name) => req.header(name),
    body: () => readJsonBody(req.raw, maxBodyBytes),
  };
}

function toResponse({ status = 200, headers, bytes, json }: Answer): Response {
  if (bytes === undefined && json === undefined)
    return new Response(null, { status, headers: { ...headers } });
  return new Response(bytes ?? JSON.stringify(json), {
    status,
    headers: { 'Content-Type': 'application/json', ...headers },
  });
}

function methodsByPath(routes: readonly Route[]): ReadonlyMap<string, readonly string[]> {
  const methods = new Map<string, readonly string[]>([[STREAM_PATH, ['GET']]]);
  for (const { method, path } of routes) {
    const known = methods.get(BASE + path) ?? [];
    methods.set(BASE + path, [...known, ...(method === 'GET' ? ['GET', 'HEAD'] : [method])]);
  }
  return methods;
}

function wrongMethod(methods: readonly string[]): Response {
  const allowed = methods.join(', ');
  return toResponse({
    status: 405,
    headers: { Allow: allowed },
    json: { error: `This path does not take that method. Use ${allowed}.` },
  });
}
