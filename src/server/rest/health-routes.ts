/** Whether the server lives, how busy it is, and which version it is. Without a token, for probes and load balancers. */
import { readFileSync } from 'node:fs';
import type { FlagSource } from '../sources/contract.ts';
import type { StreamCounts } from '../sse-endpoint.ts';
import type { Route } from './route.ts';

export interface HealthCounts extends StreamCounts {
  /** Open now. */
  readonly streams: number;
}

export function healthRoutes(source: FlagSource, counts: () => HealthCounts): readonly Route[] {
  const version = ownVersion();
  return [
    {
      method: 'GET',
      path: '/health',
      scope: 'none',
      answer: () => ({
        json: { status: 'OK', epoch: source.epoch, revision: source.revision, ...counts() },
        headers: { 'Cache-Control': 'no-store' },
      }),
    },
    {
      method: 'GET',
      path: '/info',
      scope: 'none',
      answer: () => ({
        json: { version, buildTime: null, gitCommit: null, enterpriseEnabled: false, licenseValid: null },
      }),
    },
  ];
}

/** The package's, from the nearest package.json: one folder up from the built file, two from the source. */
function ownVersion(): string | null {
  for (const up of ['../package.json', '../../package.json', '../../../package.json']) {
    try {
      const json: unknown = JSON.parse(readFileSync(new URL(up, import.meta.url), 'utf8'));
      const isOurs =
        typeof json === 'object' && json !== null && 'name' in json && json.name === 'flagent-offline';
      if (isOurs && 'version' in json && typeof json.version === 'string') return json.version;
    } catch {
      // Not in this folder, or bundled into an application: the version is then not known.
    }
  }
  return null;
}
