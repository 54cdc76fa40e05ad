// README.md and the guides: their programs, tables and links.
import { readdirSync, readFileSync } from 'node:fs';
import * as path from 'node:path';
import { ROOT } from './programs';

/** A page, by its path from the repository's root. */
export interface Page {
  name: string;
  text: string;
}

/** A fenced block of a page. */
export interface Block {
  page: string;
  language: string;
  text: string;
  line: number;
}

/** A block of TypeScript, and the block of text that follows it. */
export interface Program extends Block {
  output: string;
}

const read = (name: string): Page => ({ name, text: readFileSync(path.join(ROOT, name), 'utf8') });

const GUIDES = path.join('docs', 'guide');

export const pages: readonly Page[] = [
  read('README.md'),
  ...readdirSync(path.join(ROOT, GUIDES))
    .filter((name) => name.endsWith('.md'))
    .map((name) => read(path.join(GUIDES, name))),
];

export function page(name: string): Page {
  const found = pages.find((candidate) => candidate.name === name);
  if (found === undefined) throw new Error(`There is no ${name}`);
  return found;
}

export const guide = (name: string): Page => page(path.join(GUIDES, `${name}.md`));

export function blocksOf({ name, text }: Page): Block[] {
  return [...text.matchAll(/^```(\w+)\n([\s\S]*?)^```$/gm)].map((match) => ({
    page: name,
    language: match[1] ?? '',
    text: match[2] ?? '',
    line: text.slice(0, match.index).split('\n').length,
  }));
}

/** All programs. One without the text that it prints counts as a program that prints nothing. */
export function programsOf(page: Page): Program[] {
  const blocks = blocksOf(page);
  return blocks.flatMap((block, index) => {
    const next = blocks[index + 1];
    return block.language === 'ts' ? [{ ...block, output: next?.language === 'text' ? next.text : '' }] : [];
  });
}

/** The rows of the table whose head begins with `head`. */
export function tableOf({ name, text }: Page, head: string): string[][] {
  const lines = text.split('\n');
  const start = lines.findIndex((line) => line.startsWith(`| ${head} `));
  if (start === -1) throw new Error(`${name} has no table with the head ${head}`);
  const end = lines.findIndex((line, index) => index > start && !line.startsWith('|'));
  return lines.slice(start + 2, end).map((line) =>
    line
      .split('|')
      .slice(1, -1)
      .map((cell) => cell.trim()),
  );
}

export const unquoted = (cell: string | undefined): string => (cell ?? '').replaceAll('`', '');
