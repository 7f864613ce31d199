/** Measures the script that a first visit loads, and stops the build when it is too much. */
import { gzipSync } from 'node:zlib';
import type { Plugin } from 'vite';

type Chunk = {
  type: 'chunk';
  fileName: string;
  code: string;
  isEntry: boolean;
  isDynamicEntry: boolean;
  imports: string[];
  facadeModuleId: string | null;
};

/** All files that are loaded when `file` is: itself and what it imports without `import()`. */
function closure(chunks: Map<string, Chunk>, file: string, seen = new Set<string>()): Set<string> {
  const chunk = chunks.get(file);
  if (!chunk || seen.has(file)) return seen;
  seen.add(file);
  chunk.imports.forEach((next) => closure(chunks, next, seen));
  return seen;
}

/**
 * First load = the entry, what it imports, and the heaviest lazy part (a room or a page) on top:
 * nobody's first visit loads more script than that before something is drawn.
 */
export function firstLoad({ limitKb }: { limitKb: number }): Plugin {
  return {
    name: 'recado-first-load',
    apply: 'build',
    generateBundle: {
      order: 'post',
      handler(_options, bundle) {
        const chunks = new Map<string, Chunk>();
        for (const output of Object.values(bundle)) {
          if (output.type === 'chunk') chunks.set(output.fileName, output as unknown as Chunk);
        }
        const size = (file: string) => gzipSync(chunks.get(file)?.code ?? '', { level: 9 }).length;
        const total = (files: Iterable<string>) =>
          [...files].reduce((sum, file) => sum + size(file), 0);
        const kb = (bytes: number) => `${(bytes / 1000).toFixed(1)} kB`;

        const base = new Set<string>();
        for (const chunk of chunks.values()) if (chunk.isEntry) closure(chunks, chunk.fileName, base);
        const parts = [...chunks.values()]
          .filter((chunk) => chunk.isDynamicEntry && !chunk.facadeModuleId?.endsWith('.json'))
          .map((chunk) => {
            const extra = [...closure(chunks, chunk.fileName)].filter((file) => !base.has(file));
            return { name: chunk.fileName, bytes: total(extra) };
          })
          .sort((a, b) => b.bytes - a.bytes);

        const first = total(base) + (parts[0]?.bytes ?? 0);
        const lines = [
          `script, gzip: ${kb(total(base))} always`,
          ...parts.map((part) => `  + ${kb(part.bytes)} ${part.name}`),
          `first load at most ${kb(first)} of ${limitKb} kB`,
        ];
        console.log(lines.join('\n'));
        if (first > limitKb * 1000) {
          this.error(`The first load is ${kb(first)} of script; the limit is ${limitKb} kB.`);
        }
      },
    },
  };
}
