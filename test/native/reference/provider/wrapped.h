/*
 * The default provider's implementations. Our objects hold one of its objects and call its functions, so that every
 * parameter, size and error is OpenSSL's.
 */
#ifndef TEST_REFERENCE_WRAPPED_H_
#define TEST_REFERENCE_WRAPPED_H_

#include <openssl/core.h>
#include <openssl/core_dispatch.h>
#include <stdbool.h>
#include <stddef.h>

#include "hardware.h"

/* An algorithm of the default provider's: its functions by their numbers in openssl/core_dispatch.h. */
enum { WRAPPED_FUNCTIONS = 64 };

struct wrapped {
  const char* names;
  void (*functions[WRAPPED_FUNCTIONS])(void);
};

enum wrapped_algorithm {
  WRAPPED_RSA_KEYS,
  WRAPPED_EC_KEYS,
  WRAPPED_RSA,
  WRAPPED_ECDSA,
  WRAPPED_RSA_CIPHER,
  WRAPPED_ALL
};

/* Calls `function` of `wrapped` as OSSL_FUNC_<type>_fn has it. */
#define WRAPPED_CALL(type, wrapped, id) ((OSSL_FUNC_##type##_fn*)(wrapped)->functions[id])

/* False, with an OpenSSL error, when there is no default provider to wrap. Call it before the others. */
bool wrapped_load(void);
const struct wrapped* wrapped_get(enum wrapped_algorithm algorithm);
/* The default provider's context, where our functions get a struct provider. */
void* wrapped_provider_context(void);

struct provider {
  const OSSL_CORE_HANDLE* handle;
  struct hardware* hardware;
};

/* A context of ours, for signatures or for ciphers. */
struct context {
  const struct provider* provider;
  const struct wrapped* wrapped;
  void* inner;
};

/* Null, and `inner` stays the caller's, without memory or where that is null. */
struct context* context_new(const struct provider* provider, const struct wrapped* wrapped, void* inner);

/* Once, after wrapped_load(). */
void keymgmt_prepare(void);

/* Ending with an entry of zeros. */
const OSSL_DISPATCH* keymgmt_functions(enum wrapped_algorithm algorithm);
extern const OSSL_DISPATCH kRsaSignature[];
extern const OSSL_DISPATCH kEcdsaSignature[];
extern const OSSL_DISPATCH kRsaCipher[];

#endif
