// Reads the demands of a module, in the format of Linux and the BSDs, on its loader; see elf(5).

export interface UndefinedSymbol {
  name: string;
  /** A weak symbol may stay undefined. */
  weak: boolean;
  /** The library and version that it was linked against, when the module says so. */
  library?: string;
  version?: string;
}

export interface ElfModule {
  machine: string;
  /** The libraries that are loaded with it: DT_NEEDED. */
  needed: string[];
  undefinedSymbols: UndefinedSymbol[];
  /** Whether it has the interface of PKCS#11. */
  isPkcs11: boolean;
  /** Whether it does not load when a function is missing; otherwise a missing function ends the process when called. */
  bindsAtOnce: boolean;
}

const SectionType = { dynamic: 6, symbols: 11, versionsNeeded: 0x6ffffffe, versionOfSymbol: 0x6fffffff };
const DynamicTag = { needed: 1, bindNow: 24, flags: 30, flags1: 0x6ffffffb };
const DF_BIND_NOW = 8;
const DF_1_NOW = 1;
const WEAK = 2;
const SHARED_OBJECT = 3;
const PKCS11_ENTRY = 'C_GetFunctionList';
// The machines that Node.js binaries exist for.
const MACHINES: Record<number, string> = {
  3: 'ia32',
  8: 'mips',
  21: 'ppc64',
  22: 's390x',
  40: 'arm',
  62: 'x64',
  183: 'arm64',
  243: 'riscv64',
  258: 'loong64',
};

interface Section {
  type: number;
  offset: number;
  size: number;
  link: number;
  entrySize: number;
}

/** Throws a RangeError for a file that is cut off, an Error for one of another format. */
export function readElf(bytes: Buffer): ElfModule {
  return new Reader(bytes).module();
}

class Reader {
  readonly #bytes: Buffer;
  #isPkcs11 = false;
  readonly #wide: boolean;
  readonly #little: boolean;
  readonly #sections: Section[];

  constructor(bytes: Buffer) {
    if (bytes.length < 52 || bytes.readUInt32BE(0) !== 0x7f454c46) throw new Error('It is no ELF file');
    this.#bytes = bytes;
    this.#wide = bytes[4] === 2;
    this.#little = bytes[5] === 1;
    if (this.#half(16) !== SHARED_OBJECT) throw new Error('It is no shared module');
    this.#checkSegments();
    this.#sections = this.#readSections();
  }

  module(): ElfModule {
    const dynamic = this.#section(SectionType.dynamic);
    if (dynamic === undefined) throw new Error('It has no dynamic section: it is no shared module');
    const tags = this.#readDynamic(dynamic);
    const values = (tag: number): number[] => tags.flatMap(([name, value]) => (name === tag ? [value] : []));
    const flag = (tag: number, bit: number): boolean => values(tag).some((value) => (value & bit) !== 0);
    const machine = this.#half(18);
    return {
      machine: MACHINES[machine] ?? `machine ${machine}`,
      needed: values(DynamicTag.needed).map((offset) => this.#text(dynamic.link, offset)),
      undefinedSymbols: this.#readSymbols(),
      isPkcs11: this.#isPkcs11,
      bindsAtOnce:
        values(DynamicTag.bindNow).length > 0 ||
        flag(DynamicTag.flags, DF_BIND_NOW) ||
        flag(DynamicTag.flags1, DF_1_NOW),
    };
  }

  // The dynamic linker would map the missing part of a file that is cut off, and crash.
  #checkSegments(): void {
    const wide = this.#wide;
    const table = this.#word(wide ? 32 : 28);
    const entrySize = wide ? 56 : 32;
    const count = this.#half(wide ? 56 : 44);
    for (let at = table; at < table + count * entrySize; at += entrySize) {
      const end = this.#word(at + (wide ? 8 : 4)) + this.#word(at + (wide ? 32 : 16));
      if (end > this.#bytes.length) throw new RangeError('A segment is outside the file');
    }
  }

  #readSections(): Section[] {
    const wide = this.#wide;
    const table = this.#word(wide ? 40 : 32);
    const entrySize = this.#half(wide ? 58 : 46);
    const count = this.#half(wide ? 60 : 48);
    return Array.from({ length: count }, (_, index) => {
      const at = table + index * entrySize;
      return {
        type: this.#int(at + 4),
        offset: this.#word(at + (wide ? 24 : 16)),
        size: this.#word(at + (wide ? 32 : 20)),
        link: this.#int(at + (wide ? 40 : 24)),
        entrySize: this.#word(at + (wide ? 56 : 36)),
      };
    });
  }

  #readDynamic({ offset, size }: Section): [tag: number, value: number][] {
    const step = this.#wide ? 8 : 4;
    const tags: [number, number][] = [];
    for (let at = offset; at < offset + size; at += 2 * step) {
      const tag = this.#word(at);
      if (tag === 0) break;
      tags.push([tag, this.#word(at + step)]);
    }
    return tags;
  }

  // Only the undefined symbols.
  #readSymbols(): UndefinedSymbol[] {
    const table = this.#section(SectionType.symbols);
    if (table === undefined) return [];
    const versions = this.#readVersions();
    const versionOf = this.#section(SectionType.versionOfSymbol);
    const size = this.#wide ? 24 : 16;
    const symbols: UndefinedSymbol[] = [];
    for (let index = 1; index < table.size / size; ++index) {
      const at = table.offset + index * size;
      const section = this.#half(at + (this.#wide ? 6 : 14));
      const name = this.#text(table.link, this.#int(at));
      if (section !== 0 && name === PKCS11_ENTRY) this.#isPkcs11 = true;
      if (section !== 0 || name === '') continue;
      const weak = this.#byte(at + (this.#wide ? 4 : 12)) >> 4 === WEAK;
      const number = versionOf === undefined ? 0 : this.#half(versionOf.offset + 2 * index) & 0x7fff;
      symbols.push({ name, weak, ...versions.get(number) });
    }
    return symbols;
  }

  #readVersions(): Map<number, { library: string; version: string }> {
    const versions = new Map<number, { library: string; version: string }>();
    const section = this.#section(SectionType.versionsNeeded);
    if (section === undefined) return versions;
    for (let at = section.offset, next = -1; next !== 0; at += next) {
      const library = this.#text(section.link, this.#int(at + 4));
      let entry = at + this.#int(at + 8);
      for (let left = this.#half(at + 2); left > 0; --left) {
        versions.set(this.#half(entry + 6), { library, version: this.#text(section.link, this.#int(entry + 8)) });
        entry += this.#int(entry + 12);
      }
      next = this.#int(at + 12);
    }
    return versions;
  }

  #section(type: number): Section | undefined {
    return this.#sections.find((section) => section.type === type);
  }

  #text(section: number, offset: number): string {
    const start = (this.#sections[section]?.offset ?? NaN) + offset;
    const end = this.#bytes.indexOf(0, start);
    if (!(start >= 0) || end < 0) throw new RangeError('A name is outside the file');
    return this.#bytes.toString('latin1', start, end);
  }

  #byte(at: number): number {
    return this.#bytes.readUInt8(at);
  }

  #half(at: number): number {
    return this.#little ? this.#bytes.readUInt16LE(at) : this.#bytes.readUInt16BE(at);
  }

  #int(at: number): number {
    return this.#little ? this.#bytes.readUInt32LE(at) : this.#bytes.readUInt32BE(at);
  }

  /** An address or offset: as wide as the module's class. */
  #word(at: number): number {
    if (!this.#wide) return this.#int(at);
    return Number(this.#little ? this.#bytes.readBigUInt64LE(at) : this.#bytes.readBigUInt64BE(at));
  }
}
