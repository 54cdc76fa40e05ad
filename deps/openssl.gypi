# The OpenSSL that the addon is built against. No other build file knows.
#
#   runtime (default)  The headers that ship with Node; the symbols are those of the process that loads the addon.
#   system             The system's OpenSSL, found through pkg-config.
#   PATH               The OpenSSL installed under PATH (PATH/include, PATH/lib or PATH/lib64).
#
# Choose with `npx openssl-async build --openssl=…` or `npm run build:native -- --openssl=…`.
#
# A process that already has OpenSSL's symbols resolves the addon's references to its own copy, whatever is chosen here:
# another flavour is for a Node that has none, or that links the same shared library.
{
  'variables': {
    'openssl%': 'runtime',
  },
  'conditions': [
    ['openssl=="system"', {
      # Node's include folder comes first on the command line, and compilers ignore an -I for a system folder: the
      # system's headers have to be found under another path.
      'include_dirs+': [
        '<!(node "<(module_root_dir)/deps/openssl-headers.js" "<(module_root_dir)/build/openssl-include")',
      ],
      'libraries': ['<!@(pkg-config --libs libssl libcrypto)'],
    }],
    ['openssl!="system" and openssl!="runtime"', {
      'include_dirs+': ['<(openssl)/include'],
      'conditions': [
        ['OS=="win"', {
          'libraries': ['<(openssl)/lib/libssl.lib', '<(openssl)/lib/libcrypto.lib'],
        }, {
          'libraries': [
            '-L<(openssl)/lib64',
            '-L<(openssl)/lib',
            '-Wl,-rpath,<(openssl)/lib64',
            '-Wl,-rpath,<(openssl)/lib',
            '-lssl',
            '-lcrypto',
          ],
        }],
      ],
    }],
  ],
}
