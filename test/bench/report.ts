/** Turns samples into the table that a bench prints. Nothing here decides whether a number is good. */
import { cpus, release, totalmem, type } from 'node:os';

/** One line of the table: what was measured, and every sample. */
export interface Row {
  readonly name: string;
  readonly unit: 'ms' | 'bytes' | 'per second';
  readonly samples: readonly number[];
}

/** The machine and the programs, without which no number means anything. */
export function describeMachine(): string {
  const [cpu] = cpus();
  const memoryGb = Math.round(totalmem() / 2 ** 30);
  return `${cpus().length} × ${cpu?.model ?? 'unknown'}, ${memoryGb} GB, ${type()} ${release()}, Node ${process.version}`;
}

export function formatRows(rows: readonly Row[]): string {
  const head = ['', 'unit', 'n', 'median', 'p95', 'p99', 'min', 'max'];
  return formatTable([
    head,
    ...rows.map((row) => [row.name, row.unit, String(row.samples.length), ...statistics(row)]),
  ]);
}

function statistics({ samples, unit }: Row): string[] {
  const sorted = [...samples].sort((a, b) => a - b);
  const show = (value: number): string => (unit === 'ms' ? value.toFixed(2) : String(Math.round(value)));
  return [0.5, 0.95, 0.99, 0, 1].map((share) => show(percentile(sorted, share)));
}

/** Nearest rank: always a value that was measured. `NaN` without samples. */
export function percentile(sorted: readonly number[], share: number): number {
  const rank = Math.max(0, Math.ceil(share * sorted.length) - 1);
  return sorted[rank] ?? Number.NaN;
}

/** First column to the left, numbers to the right. */
function formatTable(lines: readonly (readonly string[])[]): string {
  const widths = (lines[0] ?? []).map((_, column) =>
    Math.max(...lines.map((line) => line[column]?.length ?? 0)),
  );
  return lines
    .map((line) =>
      line
        .map((cell, column) =>
          column === 0 ? cell.padEnd(widths[0] ?? 0) : cell.padStart(widths[column] ?? 0),
        )
        .join('  ')
        .trimEnd(),
    )
    .join('\n');
}
