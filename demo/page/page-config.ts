/** Where the flag server is. It stands in the HTML, so a page that starts offline knows it too. */

export interface PageConfig {
  readonly flagServerUrl: string;
  readonly readToken: string;
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
    typeof json.readToken === 'string'
  ) {
    return { flagServerUrl: json.flagServerUrl, readToken: json.readToken };
  }
  throw new Error('The page holds no configuration. Start it with `npm run demo`.');
}
