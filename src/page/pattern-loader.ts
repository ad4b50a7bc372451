/** Brings the pattern engine before the first flag that needs it is shown. A file of its own: most pages never load it. */
import type { CompilePattern } from '../core/evaluate/pattern-contract.ts';
import type { Update } from '../core/state/update.ts';
import { loadPatiently } from './load-patiently.ts';

export interface PatternLoader {
  /** Settles at once unless the update has a flag with a pattern; then when the engine is here. */
  loadFor(update: Update | undefined): Promise<void> | undefined;
}

export interface PatternLoaderOptions {
  readonly isWanted: () => boolean;
  readonly onFailure: (reason: string) => void;
  readonly onLoaded: (compilePattern: CompilePattern) => void;
}

export function createPatternLoader({ isWanted, onFailure, onLoaded }: PatternLoaderOptions): PatternLoader {
  let loading: Promise<void> | undefined;

  const load = async (): Promise<void> => {
    const engine = await loadPatiently(() => import('../core/evaluate/pattern.ts'), isWanted, onFailure);
    if (engine !== undefined) onLoaded(engine.compilePattern);
  };

  return {
    loadFor: (update) => {
      if (update === undefined || !mentionsPattern(update)) return undefined;
      loading ??= load();
      return loading;
    },
  };
}

/** A description may mention it too, and the engine is then loaded for nothing. */
function mentionsPattern(update: Update): boolean {
  if (update.kind === 'empty') return false;
  const json = update.kind === 'all' ? update.flagsJson : JSON.stringify(update.patches);
  return json.includes('EREG"');
}
