#!/usr/bin/env node
/** The entry of the command line: arguments in, exit code out. */
import { runCommandLine } from './program.ts';

// The reader of a pipe may have seen enough (`watch | head -1`); that is no fault.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code === 'EPIPE') process.exit(0);
  throw error;
});

// Not process.exit: what is still on its way to a pipe must arrive.
process.exitCode = await runCommandLine(process.argv);
