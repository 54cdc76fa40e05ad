# All that knows neither JavaScript nor a program around it; the addon and the programs of tests link what they need.
{
  'includes': ['defaults.gypi'],
  'targets': [
    {
      'target_name': 'openssl_async_core',
      'type': 'static_library',
      'includes': ['../deps/openssl.gypi'],
      'include_dirs': ['.'],
      'direct_dependent_settings': {'include_dirs': ['.']},
      'sources': ['<!@(node ../scripts/list-sources.js . --except=binding --except=accelerator/module)'],
    },
  ],
}
