# What tests, examples and benchmarks load beside the addon. binding.gyp, which people install from, knows nothing of it
# but its path.
{
  'includes': ['../../src-native/defaults.gypi'],
  'targets': [
    {
      'target_name': 'test_device',
      'includes': ['../../deps/openssl.gypi'],
      'include_dirs': ['device'],
      'sources': ['<!@(node ../../scripts/list-sources.js device)'],
      'cflags': ['-pthread'],
      'ldflags': ['-pthread'],
    },
    {
      'target_name': 'bench_driver',
      'includes': ['../../deps/openssl.gypi'],
      'dependencies': ['../../src-native/core.gyp:openssl_async_core'],
      'include_dirs': ['../bench/native'],
      'sources': ['<!@(node ../../scripts/list-sources.js ../bench/native)'],
    },
    {
      'target_name': 'elf_reader',
      'includes': ['../../deps/openssl.gypi'],
      'dependencies': ['../../src-native/core.gyp:openssl_async_core'],
      'sources': ['<!@(node ../../scripts/list-sources.js elf-reader)'],
    },
  ],
  'conditions': [
    ['OS!="win"', {
      'targets': [
        {
          'target_name': 'example_signer',
          'includes': ['../../deps/openssl.gypi'],
          'sources': ['<!@(node ../../scripts/list-sources.js ../../examples/native)'],
          'cflags': ['-pthread'],
          'ldflags': ['-pthread'],
        },
        {
          # Modules that pause as hardware does, for tests and as an example: reference/README.md.
          'target_name': 'reference_engine',
          'includes': ['../../deps/openssl.gypi', 'reference/module.gypi'],
          'include_dirs': ['reference/engine'],
          'defines': ['OPENSSL_SUPPRESS_DEPRECATED'],
          'sources': ['<!@(node ../../scripts/list-sources.js reference/engine)'],
        },
        {
          'target_name': 'reference_provider',
          'includes': ['../../deps/openssl.gypi', 'reference/module.gypi'],
          'include_dirs': ['reference/provider'],
          'sources': ['<!@(node ../../scripts/list-sources.js reference/provider)'],
        },
      ],
    }],
  ],
}
