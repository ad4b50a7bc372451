/** Where the flag server is and how it speaks. It stands in the HTML, so a page that starts offline knows it too. */

export interface PageConfig {
  readonly flagServerUrl: string;
  readonly readToken: string;
  readonly heartbeatMs: number;
}

export function readPageConfig(): PageConfig {
  const text = document.getElementById('page-config')?.textContent ?? 'null';
  const json: unknown = JSON.parse(text);
  if (
    typeof json === 'object' &&
    json !== null &&
    'flagServerUrl' in json &&
    typeof json.flagServerUrl === 'string' &&
    'readToken' in json &&
    typeof json.readToken === 'string' &&
    'heartbeatMs' in json &&
    typeof json.heartbeatMs === 'number'
  ) {
    const { flagServerUrl, readToken, heartbeatMs } = json;
    return { flagServerUrl, readToken, heartbeatMs };
  }
  throw new Error('The page holds no configuration. Start it with `npm run demo`.');
}
