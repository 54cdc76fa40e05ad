// Programs that are not the project's: openssl(1), tools of tokens and TPMs.

/**
 * The environment for one. A sanitizer's runtime is preloaded into this process for the addon, and is no business of a
 * program that is not instrumented; nor is the machine's OpenSSL configuration.
 */
export function foreignEnvironment(more: NodeJS.ProcessEnv = {}): NodeJS.ProcessEnv {
  return { ...process.env, LD_PRELOAD: '', NODE_OPTIONS: '', OPENSSL_CONF: '/dev/null', ...more };
}
