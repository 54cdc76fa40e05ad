// Whether a project has several copies of this package: in this process, and in the folders that it is installed in.
import { readdirSync, readFileSync, realpathSync } from 'node:fs';
import * as path from 'node:path';
import { PACKAGE_ROOT } from '../base/package';
import { symbols } from '../native/environment';
import type { Finding } from './finding';

const PACKAGE = 'openssl-async';
// No more folders than this are looked into, since a tree with links may have no end.
const MOST_FOLDERS = 20_000;

interface Copy {
  folder: string;
  version: string;
}

export function describeCopies(): Finding {
  const loaded = symbols()?.copies() ?? [];
  const installed = findInstalled(process.cwd());
  const details = { loaded, installed };
  const notes = installed.map(({ folder, version }) => `${folder}: ${version}`);
  const others = loaded.slice(1);
  notes.push(...others.map((file) => `loaded here too: ${file}`));
  if (installed.length < 2 && others.length === 0) {
    return { status: 'ok', summary: 'the project has one copy of this package', details };
  }
  const summary =
    others.length > 0
      ? `this process has loaded ${loaded.length} copies of this package`
      : `the project has ${installed.length} copies of this package installed`;
  const effect =
    'Copies work side by side, with threads and limits of their own, but keys, wait contexts and jobs of one mean ' +
    'nothing to another. To have one: npm ls openssl-async, npm dedupe.';
  return { status: 'warning', summary, notes, remedies: [effect], details };
}

/** This copy, and all that Node.js would find from `start` and from the packages there. */
function findInstalled(start: string): Copy[] {
  const found = new Map<string, Copy>();
  add(found, PACKAGE_ROOT);
  const seen = new Set<string>();
  for (let folder = path.resolve(start); ; folder = path.dirname(folder)) {
    search(path.join(folder, 'node_modules'), seen, found);
    if (folder === path.dirname(folder)) break;
  }
  return [...found.values()];
}

function search(modules: string, seen: Set<string>, found: Map<string, Copy>): void {
  if (seen.size >= MOST_FOLDERS || seen.has(modules)) return;
  seen.add(modules);
  for (const name of foldersIn(modules)) {
    const folder = path.join(modules, name);
    if (name === PACKAGE) add(found, folder);
    if (name.startsWith('@')) {
      for (const scoped of foldersIn(folder)) search(path.join(folder, scoped, 'node_modules'), seen, found);
    } else if (name === '.pnpm') {
      for (const stored of foldersIn(folder)) {
        if (stored.startsWith(`${PACKAGE}@`)) add(found, path.join(folder, stored, 'node_modules', PACKAGE));
      }
    } else if (!name.startsWith('.')) {
      search(path.join(folder, 'node_modules'), seen, found);
    }
  }
}

function foldersIn(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch {
    return []; // no such folder, or no permission
  }
}

function add(found: Map<string, Copy>, folder: string): void {
  try {
    const real = realpathSync(folder);
    const { name, version } = JSON.parse(readFileSync(path.join(real, 'package.json'), 'utf8')) as Record<
      string,
      unknown
    >;
    if (name === PACKAGE) found.set(real, { folder: real, version: String(version) });
  } catch {
    // no package
  }
}
