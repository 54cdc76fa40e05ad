{
  'variables': {
    # 1 builds test/native/tests.gyp too, which the package does not hold: npm run build:tests
    'async_tests%': 0,
    # 0 leaves the accelerator's module out: prebuilt packages hold nothing but the addon
    'accelerator_module%': 1,
    # 1 makes an addon that finds no jobs, for npm run test:without-jobs
    'without_jobs%': 0,
  },
  'includes': ['src-native/defaults.gypi'],
  'targets': [
    {
      'target_name': 'openssl_async',
      'includes': ['deps/openssl.gypi'],
      'dependencies': ['src-native/core.gyp:openssl_async_core'],
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
        ['"<(without_jobs)"=="1"', {'sources': ['test/native/without-jobs/async_null.c']}],
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
          'dependencies': ['src-native/core.gyp:openssl_async_core'],
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
    ['"<(async_tests)"=="1"', {
      'targets': [
        {
          'target_name': 'tests',
          'type': 'none',
          'dependencies': ['test/native/tests.gyp:*'],
        },
      ],
    }],
  ],
}
