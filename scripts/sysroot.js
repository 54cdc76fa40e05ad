'use strict';

// The C and C++ libraries of Debian 11, unpacked into build-sysroot/, for binaries that also load on old systems: an
// addon that is linked with the libraries of Debian 12 does not load where Node itself still runs.
//
// - The packages are pinned by hash and come through apt's own downloader, so every machine links the same libraries:
//   28 MB for both architectures, in seconds. A whole compiler of that age would be 210 MB.
// - The headers are of the same age. Newer headers call functions that old libraries lack, whatever is linked.
// - The compiler's own libgcc is not linked: the one of GCC 12 calls _dl_find_object, which is of GLIBC_2.35.
// - The C++ library stays shared. Linked statically, it would call the addon's replacement of operator new
//   (src-native/base/memory.cc), which calls the library's again, without end. FROM_ARCHIVE has the exception.

const { execFileSync } = require('node:child_process');
const crypto = require('node:crypto');
const fs = require('node:fs');
const path = require('node:path');

const APT_HELPER = '/usr/lib/apt/apt-helper';
const GCC = 10;

// libatomic1, libc6, libgcc-s1 and libstdc++6 also run programs: test/arm64 and test/prebuild start Node with them.
const POOL = {
  libatomic1: 'pool/main/g/gcc-10/libatomic1_10.2.1-6',
  libc6: 'pool/main/g/glibc/libc6_2.31-13+deb11u11',
  'libc6-dev': 'pool/main/g/glibc/libc6-dev_2.31-13+deb11u11',
  'linux-libc-dev': 'pool/main/l/linux/linux-libc-dev_5.10.223-1',
  'libgcc-10-dev': 'pool/main/g/gcc-10/libgcc-10-dev_10.2.1-6',
  'libgcc-s1': 'pool/main/g/gcc-10/libgcc-s1_10.2.1-6',
  'libstdc++-10-dev': 'pool/main/g/gcc-10/libstdc++-10-dev_10.2.1-6',
  'libstdc++6': 'pool/main/g/gcc-10/libstdc++6_10.2.1-6',
};

const ARCHITECTURES = {
  x64: {
    triplet: 'x86_64-linux-gnu',
    debian: 'amd64',
    sha256: {
      libatomic1: 'e8f1d04653698ab185c1144f35f905a1de87571c12ea630b65be669a2823d8c7',
      libc6: '05f7264da867b37f4c5ce49266b558ea1e81e05a9464f623152fca70f3550282',
      'libc6-dev': 'e7f7b45d9c5cfcf37609f0b6efd3c645272c812144703af89dfd32218fcb0fd3',
      'linux-libc-dev': 'e3be603bd12377bb90fcfb0f2048ca3a81c886e49d6f09945b82159d1c54f7b2',
      'libgcc-10-dev': '3b711374092b84e732c4e73cf33e02cff02e34a5f105eb6467de8d9038e4cd9d',
      'libgcc-s1': 'e478f2709d8474165bb664de42e16950c391f30eaa55bc9b3573281d83a29daf',
      'libstdc++-10-dev': '20b1f56863dcc5f187d6cb53b2aa6149bd013be4ec67e10c2c31a22fda619a01',
      'libstdc++6': '5c155c58935870bf3b4bfe769116841c0d286a74f59eccfd5645693ac23f06b1',
    },
  },
  arm64: {
    triplet: 'aarch64-linux-gnu',
    debian: 'arm64',
    sha256: {
      libatomic1: 'd0b8a02896479a6eac49019d71142da9561482759f40eb7aeb15cfdc7d3e39ec',
      libc6: 'baaa9aa184e2f21738c5819055e6740cc5b22f198e3f416e33f82b40ff6933d8',
      'libc6-dev': '28d478134722dcd4b0bd2045a199301d18713bf95947b9fce66634e7aeacab2e',
      'linux-libc-dev': '8b6374a64412d33eac61d74f77b8f932da4b8a707ea8a614791e2a35b8917618',
      'libgcc-10-dev': '80fc73d339ada2e194175afe83cd89014565242153b6e3c2128849d8817da367',
      'libgcc-s1': 'e2fcdb378d3c1ad1bcb64d4fb6b37aab44011152beca12a4944f435a2582df1f',
      'libstdc++-10-dev': 'cee7ca63613b50a8a51cc670db385c7e6d1181b72c94148fc8b7992e4570782d',
      'libstdc++6': '7869aa540cc46e9f3d4267d5bde2af0e5b429a820c1d6f1a4cfccfe788c31890',
    },
  },
};

// Members of libstdc++.a whose functions are above the floor in the shared library; the linker takes them from here.
// std::_Sp_make_shared_tag::_S_eq() is of GLIBCXX_3.4.26, std::thread::_M_start_thread() of GLIBCXX_3.4.22.
const FROM_ARCHIVE = ['shared_ptr.o', 'thread.o'];

// GCC 12 takes the swap in std::function of these headers for the use of memory that nobody has written.
const WARNINGS = '-Wno-uninitialized -Wno-maybe-uninitialized';

const root = path.join(__dirname, '..');

/** The mirror of Debian that this machine's apt uses. */
function mirror() {
  if (process.env.OPENSSL_ASYNC_DEBIAN_MIRROR !== undefined) return process.env.OPENSSL_ASYNC_DEBIAN_MIRROR;
  const format = ['indextargets', '--format', '$(REPO_URI)'];
  const uris = execFileSync('apt-get', format, { encoding: 'utf8' }).split('\n');
  const found = uris.find((uri) => /\/debian\/?$/.test(uri));
  if (found === undefined) {
    throw new Error('apt knows no mirror of Debian: OPENSSL_ASYNC_DEBIAN_MIRROR takes the address of one');
  }
  return found;
}

// Links with absolute targets would lead out of the folder.
function makeLinksRelative(folder) {
  for (const entry of fs.readdirSync(folder, { recursive: true, withFileTypes: true })) {
    if (!entry.isSymbolicLink()) continue;
    const link = path.join(entry.parentPath ?? entry.path, entry.name);
    const target = fs.readlinkSync(link);
    if (!path.isAbsolute(target)) continue;
    fs.unlinkSync(link);
    fs.symlinkSync(path.relative(path.dirname(link), path.join(folder, target)), link);
  }
}

function unpack(name, { debian, sha256 }, folder) {
  // linux-libc-dev and the others are of one architecture each.
  const url = `${mirror().replace(/\/$/, '')}/${POOL[name]}_${debian}.deb`;
  const file = path.join(folder, `${name}.deb`);
  execFileSync(APT_HELPER, ['download-file', url, file, `SHA256:${sha256[name]}`], {
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  execFileSync('dpkg-deb', ['--extract', file, folder]);
  fs.unlinkSync(file);
}

function extractMembers(folder, library) {
  for (const member of FROM_ARCHIVE) {
    const content = execFileSync('ar', ['p', path.join(library, 'libstdc++.a'), member], { maxBuffer: 2 ** 26 });
    fs.writeFileSync(path.join(folder, member), content);
  }
}

/**
 * Unpacks the libraries for `arch`, unless they are there already.
 *
 * @returns {{ folder: string, triplet: string }} `folder`: its absolute path
 */
function obtainSysroot(arch) {
  const description = ARCHITECTURES[arch];
  if (description === undefined) throw new Error(`there are no libraries for linux-${arch} (glibc)`);
  if (!fs.existsSync(APT_HELPER)) {
    throw new Error(`${APT_HELPER} is missing: a Debian or Ubuntu system makes the binaries for linux (glibc)`);
  }
  const folder = path.join(root, 'build-sysroot', `linux-${arch}`);
  const complete = path.join(folder, 'complete');
  const pins = JSON.stringify([POOL, description, FROM_ARCHIVE]);
  const version = crypto.createHash('sha256').update(pins).digest('hex');
  const { triplet } = description;
  if (!fs.existsSync(complete) || fs.readFileSync(complete, 'utf8') !== version) {
    fs.rmSync(folder, { recursive: true, force: true });
    fs.mkdirSync(folder, { recursive: true });
    for (const name of Object.keys(POOL)) unpack(name, description, folder);
    makeLinksRelative(folder);
    extractMembers(folder, path.join(folder, 'usr', 'lib', 'gcc', triplet, String(GCC)));
    fs.writeFileSync(complete, version);
  }
  return { folder, triplet };
}

/**
 * Environment variables for a build by make in the folder `cwd`. Its paths are relative to `cwd`: the same command lines
 * run wherever the repository is.
 */
function sysrootEnvironment(arch, cwd) {
  const { folder, triplet } = obtainSysroot(arch);
  const sysroot = path.relative(cwd, folder);
  const compiler = `${triplet}-g++`;
  let own;
  try {
    own = execFileSync(compiler, ['-print-file-name=include'], { encoding: 'utf8' }).trim();
  } catch {
    throw new Error(`${compiler} is missing: apt-get install g++-${triplet.replace('_', '-')}`);
  }
  const includes = [
    `${sysroot}/usr/include/c++/${GCC}`,
    `${sysroot}/usr/include/${triplet}/c++/${GCC}`,
    own,
    `${sysroot}/usr/include/${triplet}`,
    `${sysroot}/usr/include`,
  ];
  const libraries = [
    `${sysroot}/usr/lib/gcc/${triplet}/${GCC}`,
    `${sysroot}/usr/lib/${triplet}`,
    `${sysroot}/lib/${triplet}`,
  ];
  const compile = ['-nostdinc', ...includes.map((each) => `-isystem ${each}`)].join(' ');
  const link = [`--sysroot=${sysroot}`, ...libraries.map((each) => `-B${each} -L${each}`)];
  return {
    CC: `${triplet}-gcc`,
    CXX: compiler,
    LINK: compiler,
    AR: `${triplet}-ar`,
    CFLAGS: compile,
    CXXFLAGS: `-nostdinc++ ${compile} ${WARNINGS}`,
    LDFLAGS: [...link, ...FROM_ARCHIVE.map((member) => `${sysroot}/${member}`)].join(' '),
    STRIP: `${triplet}-strip`,
  };
}

module.exports = { mirror, obtainSysroot, sysrootEnvironment };
