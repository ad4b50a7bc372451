/** Exit codes: the one table, for programs and for `--help`. */
import { FlagError } from '../core/errors.ts';

export const EXIT = { ok: 0, failed: 1, wrongUsage: 2, notFound: 3, unauthorised: 4 } as const;

export const EXIT_TABLE = `Exit codes:
  ${EXIT.ok}  done
  ${EXIT.failed}  failed: the server cannot be reached, the data is wrong, the port is taken …
  ${EXIT.wrongUsage}  wrong usage: an option or an argument
  ${EXIT.notFound}  not found: the flag, the file, or a flag server at the address
  ${EXIT.unauthorised}  unauthorised: the token is missing, unknown, or may not do this`;

export function exitCodeOf(error: unknown): number {
  if (!(error instanceof FlagError)) return EXIT.failed;
  if (error.code === 'invalid_option') return EXIT.wrongUsage;
  if (error.code === 'not_found') return EXIT.notFound;
  return error.code === 'unauthorized' ? EXIT.unauthorised : EXIT.failed;
}
