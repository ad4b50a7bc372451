/** Other processes of this machine, as Linux shows them: for browsers that must die at once. */
import { readdirSync, readFileSync } from 'node:fs';

/** The process that has this parent and this argument. */
export function findChild(parentPid: number, argument: string): number {
  const children = readProcesses().filter(({ parent }) => parent === parentPid);
  const child = children.find(({ pid }) => readText(`/proc/${pid}/cmdline`).split('\0').includes(argument));
  if (child === undefined)
    throw new Error(`Process ${parentPid} has no child with the argument ${argument}.`);
  return child.pid;
}

/** SIGKILL to the process, its children, their children, and so on. */
export function killWithDescendants(pid: number): void {
  const processes = readProcesses();
  const family = (of: number): number[] => [
    of,
    ...processes.filter(({ parent }) => parent === of).flatMap((child) => family(child.pid)),
  ];
  for (const member of family(pid)) {
    try {
      process.kill(member, 'SIGKILL');
    } catch {
      // It has just ended.
    }
  }
}

function readProcesses(): readonly { readonly pid: number; readonly parent: number }[] {
  return readdirSync('/proc')
    .filter((entry) => /^\d+$/.test(entry))
    .map((entry) => {
      // The name of a program may contain spaces and brackets; the state and the parent follow the last bracket.
      const [, parent] = /.*\) \w (\d+)/s.exec(readText(`/proc/${entry}/stat`)) ?? [];
      return { pid: Number(entry), parent: Number(parent) };
    });
}

/** Nothing for a process that has just ended. */
function readText(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}
