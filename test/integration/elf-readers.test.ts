// Two readers of ELF files: the command-line tool's, which has to work without the addon, and the addon's, which has to
// decide before a module is loaded. Both must say the same about the same file.
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import * as path from 'node:path';
import { readElf } from '../../lib/cli/elf';

interface Needs {
  needed: readonly string[];
  undefinedSymbols: readonly string[];
}

const RELEASE = path.resolve(__dirname, '../../build/Release');
const MODULES = ['openssl_async.node', 'accelerator.so', 'reference_engine.so', 'test_device.node'];
const onLinux = process.platform === 'linux' ? describe : describe.skip;

onLinux('the two readers of ELF files', () => {
  const { read } = createRequire(__filename)(path.join(RELEASE, 'elf_reader.node')) as {
    read: (file: string) => Needs | undefined;
  };
  const folder = mkdtempSync(path.join(tmpdir(), 'elf-readers-'));
  const file = path.join(folder, 'module.so');
  const smallest = readFileSync(path.join(RELEASE, 'reference_engine.so'));

  afterAll(() => {
    rmSync(folder, { recursive: true });
  });

  function readInJavaScript(bytes: Buffer): Needs | Error {
    try {
      const elf = readElf(bytes);
      if (elf.machine !== process.arch) return new Error(`It is for ${elf.machine}`);
      const strong = elf.undefinedSymbols.filter(({ weak }) => !weak);
      return { needed: elf.needed, undefinedSymbols: strong.map(({ name }) => name) };
    } catch (error) {
      return error as Error;
    }
  }

  function readInBoth(bytes: Buffer): { javascript: Needs | Error; native: Needs | undefined } {
    writeFileSync(file, bytes);
    return { javascript: readInJavaScript(bytes), native: read(file) };
  }

  function changed(change: (bytes: Buffer) => void): Buffer {
    const bytes = Buffer.from(smallest);
    change(bytes);
    return bytes;
  }

  test.each(MODULES)('agree on %s', (name) => {
    const { javascript, native } = readInBoth(readFileSync(path.join(RELEASE, name)));
    expect(javascript).toEqual(native);
    expect(native?.needed).toEqual(expect.arrayContaining([expect.stringMatching(/^libc\b.*\.so/)]));
    expect(native?.undefinedSymbols.length).toBeGreaterThan(5);
  });

  test.each<[string, Buffer]>([
    ['nothing', Buffer.alloc(0)],
    ['text', Buffer.from('INPUT(libcrypto.so)\n'.repeat(8))],
    ['a header alone', smallest.subarray(0, 64)],
    ['half a module', smallest.subarray(0, smallest.length >> 1)],
    ['an object file', changed((bytes) => bytes.writeUInt16LE(1, 16))],
    ['a program', changed((bytes) => bytes.writeUInt16LE(2, 16))],
    ['a module for MIPS', changed((bytes) => bytes.writeUInt16LE(8, 18))],
    ['a module of the other word size', changed((bytes) => bytes.writeUInt8(3 - bytes.readUInt8(4), 4))],
    ['a module of the other byte order', changed((bytes) => bytes.writeUInt8(3 - bytes.readUInt8(5), 5))],
  ])('refuse %s', (_, bytes) => {
    const { javascript, native } = readInBoth(bytes);
    expect(native).toBeUndefined();
    expect(javascript).toHaveProperty('message');
  });

  // Sections are listed at the end of the file. The addon leaves a file that lacks only their list to the dynamic linker.
  test('refuse a module that is cut off, the addon where the dynamic linker would crash', () => {
    let refused = 0;
    for (let length = 0; length < smallest.length; length += 97) {
      const { javascript, native } = readInBoth(smallest.subarray(0, length));
      expect(javascript).toHaveProperty('message');
      if (native === undefined) ++refused;
      else expect(native).toEqual({ needed: [], undefinedSymbols: [] });
    }
    expect(refused).toBeGreaterThan(0);
  });
});
