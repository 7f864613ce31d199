/**
 * Writes `src/api/schema.ts` from the gateway's own description of the routes that the dashboard
 * calls; with `--check` it only compares. Run by `npm run types` and `npm run types:check`.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import openapiTS, { astToString } from 'openapi-typescript';

const here = (path) => fileURLToPath(new URL(path, import.meta.url));
const target = here('../src/api/schema.ts');

const document = JSON.parse(readFileSync(here('../../docs/openapi.json'), 'utf8'));
const ours = (path) => path.startsWith('/dashboard/api/') || path === '/login';
document.paths = Object.fromEntries(Object.entries(document.paths).filter(([path]) => ours(path)));

const head = '/* Made by `npm run types` from docs/openapi.json. Do not edit. */\n';
const text = head + astToString(await openapiTS(document));

if (!process.argv.includes('--check')) {
  writeFileSync(target, text);
} else if (readFileSync(target, 'utf8') !== text) {
  console.error('web/src/api/schema.ts is not that of docs/openapi.json: run `npm run types` in web/.');
  process.exit(1);
}
