# What both reference modules are made of: the simulated device.
{
  'include_dirs': ['hardware', '../device'],
  'sources': ['<!@(node ../../scripts/list-sources.js reference/hardware)', '../device/deadline_queue.c', '../device/wake_ends_posix.c'],
  'cflags': ['-pthread'],
  'ldflags': ['-pthread'],
  # Evaluated after node-gyp's own, which calls everything .node.
  'target_conditions': [
    ['OS=="mac"', {'product_extension': 'dylib'}, {'product_extension': 'so'}],
  ],
}
