# How every native target is compiled and linked: the addon's own, and those of tests.
{
  'variables': {
    # 1 watches fds as macOS does, for npm run test:poll-with-uv
    'poll_with_uv%': 0,
  },
  'target_defaults': {
    # A worker may be terminated while it is in one of our functions: what cannot be thrown then is dropped.
    'defines': ['NAPI_VERSION=8', 'NODE_ADDON_API_DISABLE_DEPRECATED', 'NODE_API_SWALLOW_UNTHROWABLE_EXCEPTIONS'],
    'include_dirs': ['../include'],
    'dependencies': ["<!(node -p \"require('node-addon-api').targets\"):node_addon_api_except"],
    'cflags': ['-fvisibility=hidden', '-Wall', '-Wextra'],
    'cflags_cc!': ['-std=gnu++17', '-std=gnu++20', '-std=gnu++23'],
    'cflags_cc': ['-std=c++17', '-fvisibility-inlines-hidden'],
    'conditions': [
      ['"<(poll_with_uv)"=="1"', {'defines': ['OPENSSL_ASYNC_POLL_WITH_UV']}],
      ['OS=="linux"', {
        # Hardening; scripts/check-exports.js looks for it in what was linked.
        'cflags': ['-fstack-protector-strong', '-fstack-clash-protection'],
        # nodelete: Node closes an addon that only workers loaded, but OpenSSL keeps pointers into this one.
        # lazy: a runtime that lacks a symbol still loads the addon, which then says so instead of calling it. Symbols
        # that are looked up at the first call need a table that stays writable, which is why relro comes without now.
        'ldflags': ['-Wl,-z,nodelete', '-Wl,-z,lazy', '-Wl,-z,relro', '-Wl,-z,noexecstack'],
      }],
      ['OS=="linux" and target_arch=="x64"', {
        # Only the half for indirect branches. The other half would let the linker note that the module stands shadow
        # stacks. That is not for us to say: OpenSSL goes from a job's stack to the thread's and back with _setjmp(3) and
        # _longjmp(3), whose part in that is the C library's, and there was no process to try it in. Our code would be
        # the same: the note is all that is left out.
        # -mbranch-protection of arm64 is left out too, because there was no machine to try it on.
        'cflags': ['-fcf-protection=branch'],
      }],
      ['OS=="win"', {
        'msvs_settings': {
          'VCCLCompilerTool': {
            'ExceptionHandling': 1,
            'AdditionalOptions': ['/std:c++17', '/utf-8'],
          },
        },
      }],
    ],
    'configurations': {
      'Release': {
        'conditions': [
          # Compilers and C libraries that do not know 3 take it for 2, and some warn of that with #warning. Without
          # optimization there is none of it, hence not in Debug.
          ['OS=="linux"', {'cflags': ['-U_FORTIFY_SOURCE', '-D_FORTIFY_SOURCE=3', '-Wno-cpp']}],
        ],
      },
    },
    # Evaluated last: node-addon-api asks for a deployment target that has no C++17 library.
    'target_conditions': [
      ['OS=="mac"', {
        'xcode_settings': {
          'CLANG_CXX_LANGUAGE_STANDARD': 'c++17',
          'GCC_SYMBOLS_PRIVATE_EXTERN': 'YES',
          'MACOSX_DEPLOYMENT_TARGET': '11.0',
        },
      }],
    ],
  },
}
