/** The flags the demo begins with, and returns to on reset. The server checks them on import. */
import { readFile } from 'node:fs/promises';
import type { Flag } from 'flagent-offline';

export async function readFlagFile(path: string): Promise<readonly Flag[]> {
  const json: unknown = JSON.parse(await readFile(path, 'utf8'));
  if (typeof json === 'object' && json !== null && 'flags' in json && Array.isArray(json.flags))
    return json.flags;
  throw new Error(`${path} must hold { "flags": [ … ] }.`);
}
