/** A file that others read while it is written: they see the old text or the new one, never a part. */
import { existsSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { FlagError } from '../core/errors.ts';
import { reasonOf } from '../transport/reason.ts';

/** A file that has this text already is left as it is, so that nobody who watches it is woken. Throws `environment`. */
export function writeChanged(file: string, text: string): 'written' | 'unchanged' {
  const beside = `${file}.${process.pid}.tmp`;
  try {
    if (existsSync(file) && readFileSync(file, 'utf8') === text) return 'unchanged';
    writeFileSync(beside, text);
    renameSync(beside, file);
    return 'written';
  } catch (cause) {
    throw new FlagError('environment', `Cannot write ${file}: ${reasonOf(cause)}.`, { cause });
  } finally {
    if (existsSync(beside)) rmSync(beside);
  }
}
