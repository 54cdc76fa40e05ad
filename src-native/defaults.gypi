# How every native target is compiled and linked: the addon's own, and those of tests.
{
  'target_defaults': {
    # A worker may be terminated while it is in one of our functions: what cannot be thrown then is dropped.
    'defines': ['NAPI_VERSION=8', 'NODE_ADDON_API_DISABLE_DEPRECATED', 'NODE_API_SWALLOW_UNTHROWABLE_EXCEPTIONS'],
    'include_dirs': ['../include'],
    'dependencies': ["<!(node -p \"require('node-addon-api').targets\"):node_addon_api_except"],
    'cflags': ['-fvisibility=hidden', '-Wall', '-Wextra'],
    'cflags_cc!': ['-std=gnu++17', '-std=gnu++20', '-std=gnu++23'],
    'cflags_cc': ['-std=c++17', '-fvisibility-inlines-hidden'],
    'conditions': [
      ['OS=="linux"', {
        # nodelete: Node closes an addon that only workers loaded, but OpenSSL keeps pointers into this one.
        # lazy: a runtime that lacks a symbol still loads the addon, which then says so instead of calling it.
        'ldflags': ['-Wl,-z,nodelete', '-Wl,-z,lazy', '-Wl,-z,relro'],
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
