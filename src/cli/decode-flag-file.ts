/** A file of flags, checked before anything is sent: a wrong field is named with the file and its path. */
import { FlagError } from '../core/errors.ts';
import { readFlags } from '../core/protocol/decode-flag.ts';
import { attempt, readJson, readObject } from '../core/protocol/read.ts';

/** What the server's import takes at most; UTF-16 units. */
const MAX_FILE_LENGTH = 64 * 1024 * 1024;

/** The flags as they stand in the file, notes and other fields included that clients never see. Throws `invalid_data` and `too_large`. */
export function decodeFlagFile(text: string, fileName: string): readonly unknown[] {
  const decoded = attempt(() => {
    const json = readJson(text.replace(/^\uFEFF/, ''), 'The text', MAX_FILE_LENGTH);
    const flags = Array.isArray(json) ? json : readObject(json, 'The text').flags;
    readFlags(flags, 'flags');
    return flags as readonly unknown[];
  });
  if (decoded.ok) return decoded.value;
  const { code, message, path, cause } = decoded.error;
  throw new FlagError(code, `${fileName}: ${message}`, { ...(path !== undefined && { path }), cause });
}
