// The example program of ASYNC_start_job(3): examples/man-page.ts is its port.
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import * as path from 'node:path';
import * as ts from 'typescript';
import { main } from '../../examples/man-page';
import { MAN_PAGE_LINES } from '../support/man-page';
import { resultOf, ROOT, run } from '../support/programs';

describe("the man page's example", () => {
  const lines: unknown[] = [];
  let folder: string | undefined;

  afterEach(() => {
    jest.restoreAllMocks();
    if (folder !== undefined) rmSync(folder, { recursive: true });
  });

  test('prints the eight lines that the page promises, in this process', async () => {
    jest.spyOn(console, 'log').mockImplementation((line: unknown) => lines.push(line));
    await main();
    expect(lines).toEqual(MAN_PAGE_LINES);
  });

  test('prints them as a program of its own, and the process exits by itself', async () => {
    const builds = path.join(ROOT, 'build-examples');
    mkdirSync(builds, { recursive: true });
    folder = mkdtempSync(path.join(builds, 'test-'));
    const program = path.join(folder, 'man-page.js');
    const { outputText } = ts.transpileModule(readFileSync(path.join(ROOT, 'examples', 'man-page.ts'), 'utf8'), {
      compilerOptions: { module: ts.ModuleKind.CommonJS, target: ts.ScriptTarget.ES2022 },
    });
    writeFileSync(program, outputText);

    const outcome = await run(process.execPath, [program]);
    expect(resultOf(outcome)).toBe('');
    expect(outcome.stderr).toBe('');
    expect(outcome.stdout).toBe(MAN_PAGE_LINES.map((line) => `${line}\n`).join(''));
  });
});
