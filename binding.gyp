{
  'variables': {
    # 1 builds the test device and the benchmark driver too: npm run build:tests
    'async_tests%': 0,
    # 0 leaves the accelerator's module out: prebuilt packages hold nothing but the addon
    'accelerator_module%': 1,
  },
  'target_defaults': {
    # A worker may be terminated while it is in one of our functions: what cannot be thrown then is dropped.
    'defines': ['NAPI_VERSION=8', 'NODE_ADDON_API_DISABLE_DEPRECATED', 'NODE_API_SWALLOW_UNTHROWABLE_EXCEPTIONS'],
    'include_dirs': ['include'],
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
  'targets': [
    {
      # All that knows neither JavaScript nor a program around it; each of the others links what it needs.
      'target_name': 'openssl_async_core',
      'type': 'static_library',
      'includes': ['deps/openssl.gypi'],
      'include_dirs': ['src-native'],
      'direct_dependent_settings': {'include_dirs': ['src-native']},
      'sources': ['<!@(node scripts/list-sources.js src-native --except=binding --except=accelerator/module)'],
    },
    {
      'target_name': 'openssl_async',
      'includes': ['deps/openssl.gypi'],
      'dependencies': ['openssl_async_core'],
      'sources': ['<!@(node scripts/list-sources.js src-native/binding)'],
      'conditions': [
        ['OS=="linux"', {
          # Every `new` goes through src-native/base/memory.cc.
          'ldflags': ['-Wl,--version-script=<(module_root_dir)/src-native/exports.map', '-Wl,--wrap=_Znwm'],
        }],
        ['OS=="mac"', {
          'xcode_settings': {
            'OTHER_LDFLAGS': ['-Wl,-exported_symbols_list,<(module_root_dir)/src-native/exports.darwin'],
          },
        }],
      ],
    },
  ],
  'conditions': [
    ['"<(accelerator_module)"=="1"', {
      'targets': [
        {
          # The accelerator's provider as a module for other programs, such as openssl(1). Like the addon it takes
          # OpenSSL's functions from the process that loads it.
          'target_name': 'accelerator',
          'includes': ['deps/openssl.gypi'],
          'dependencies': ['openssl_async_core'],
          'sources': ['<!@(node scripts/list-sources.js src-native/accelerator/module)'],
          'cflags': ['-pthread'],
          'ldflags': ['-pthread'],
          'conditions': [
            ['OS=="linux"', {
              'ldflags': ['-Wl,--version-script=<(module_root_dir)/src-native/accelerator/module/exports.map'],
            }],
            ['OS=="mac"', {
              'xcode_settings': {
                'OTHER_LDFLAGS': [
                  '-Wl,-exported_symbols_list,<(module_root_dir)/src-native/accelerator/module/exports.darwin',
                ],
              },
            }],
          ],
          # Evaluated after node-gyp's own, which calls everything .node.
          'target_conditions': [
            ['OS=="win"', {'product_extension': 'dll'}],
            ['OS=="mac"', {'product_extension': 'dylib'}],
            ['OS!="win" and OS!="mac"', {'product_extension': 'so'}],
          ],
        },
      ],
    }],
    ['OS!="win" and "<(async_tests)"=="1"', {
      'targets': [
        {
          'target_name': 'example_signer',
          'includes': ['deps/openssl.gypi'],
          'sources': ['<!@(node scripts/list-sources.js examples/native)'],
          'cflags': ['-pthread'],
          'ldflags': ['-pthread'],
        },
      ],
    }],
    ['OS!="win" and "<(async_tests)"=="1"', {
      'targets': [
        {
          # Modules that pause as hardware does, for tests and as an example: test/native/reference/README.md.
          'target_name': 'reference_engine',
          'includes': ['deps/openssl.gypi', 'test/native/reference/module.gypi'],
          'include_dirs': ['test/native/reference/engine'],
          'defines': ['OPENSSL_SUPPRESS_DEPRECATED'],
          'sources': ['<!@(node scripts/list-sources.js test/native/reference/engine)'],
        },
        {
          'target_name': 'reference_provider',
          'includes': ['deps/openssl.gypi', 'test/native/reference/module.gypi'],
          'include_dirs': ['test/native/reference/provider'],
          'sources': ['<!@(node scripts/list-sources.js test/native/reference/provider)'],
        },
      ],
    }],
    ['"<(async_tests)"=="1"', {
      'targets': [
        {
          'target_name': 'test_device',
          'includes': ['deps/openssl.gypi'],
          'include_dirs': ['test/native/device'],
          'sources': ['<!@(node scripts/list-sources.js test/native/device)'],
          'cflags': ['-pthread'],
          'ldflags': ['-pthread'],
        },
        {
          'target_name': 'bench_driver',
          'includes': ['deps/openssl.gypi'],
          'dependencies': ['openssl_async_core'],
          'include_dirs': ['test/bench/native'],
          'sources': ['<!@(node scripts/list-sources.js test/bench/native)'],
        },
      ],
    }],
  ],
}
