// lib/native/load.ts: where the addon is looked for, and what is said when it is not there.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import * as path from 'node:path';
import { loadAddon } from '../../lib/native/load';

describe('loading the addon', () => {
  const original = process.env.OPENSSL_ASYNC_ADDON;
  const folder = mkdtempSync(path.join(tmpdir(), 'openssl-async-load-'));

  afterEach(() => {
    process.env.OPENSSL_ASYNC_ADDON = original;
  });

  afterAll(() => {
    rmSync(folder, { recursive: true });
  });

  const loadFrom = (file: string) => {
    process.env.OPENSSL_ASYNC_ADDON = file;
    const result = loadAddon();
    if (result.loaded) throw new Error('It was loaded');
    return result;
  };

  test('a missing file is named, and the failure has a code, a sentence and advice', () => {
    const file = path.join(folder, 'missing.node');
    const { code, reason, message, attempts } = loadFrom(file);
    expect(code).toBe('ERR_ASYNC_ADDON_NOT_LOADED');
    expect(reason).toMatch(/^There is no addon of openssl-async for .*\.$/);
    expect(attempts).toEqual([{ path: file, failure: undefined }]);
    expect(message).toContain(`${file}: no such file`);
    expect(message).toContain('npm rebuild openssl-async');
    expect(message).toContain(process.version);
  });

  test('a file that is no addon is told from a missing one, with what the loader of the system said', () => {
    const file = path.join(folder, 'garbage.node');
    writeFileSync(file, 'not a shared object');
    const { code, reason, message, attempts } = loadFrom(file);
    expect(code).toBe('ERR_ASYNC_ADDON_NOT_LOADED');
    expect(reason).toMatch(/was found but could not be loaded\.$/);
    expect(attempts[0]?.failure).toBeTruthy();
    expect(message).toContain(`${file}: ${String(attempts[0]?.failure)}`);
    expect(message).toContain('another platform, architecture or C library');
  });

  test('OPENSSL_ASYNC_ADDON says nothing about prebuilds', () => {
    process.env.OPENSSL_ASYNC_ADDON = path.join(folder, 'missing.node');
    const result = loadAddon('prebuilds');
    const tried = result.loaded ? [result.path] : result.attempts.map((attempt) => attempt.path);
    const platform = path.join('prebuilds', `${process.platform}-${process.arch}`);
    for (const file of tried) expect(file).toContain(platform);
  });
});
