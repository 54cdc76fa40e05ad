#include "wrapped.h"

#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/provider.h>
#include <string.h>

/*
 * A library context of our own. A fetch in the context that loaded us could find ourselves; so could one in its child,
 * because OSSL_LIB_CTX_new_child(3) mirrors the providers. The context is never freed: threads that have used it keep
 * state in it, and look for that state when they end.
 */
static OSSL_PROVIDER* default_provider;
static CRYPTO_ONCE once = CRYPTO_ONCE_STATIC_INIT;
static struct wrapped found[WRAPPED_ALL];

static const struct {
  int operation;
  const char* name;
} kWanted[WRAPPED_ALL] = {[WRAPPED_RSA_KEYS] = {OSSL_OP_KEYMGMT, "RSA"},
                          [WRAPPED_EC_KEYS] = {OSSL_OP_KEYMGMT, "EC"},
                          [WRAPPED_RSA] = {OSSL_OP_SIGNATURE, "RSA"},
                          [WRAPPED_ECDSA] = {OSSL_OP_SIGNATURE, "ECDSA"},
                          [WRAPPED_RSA_CIPHER] = {OSSL_OP_ASYM_CIPHER, "RSA"}};

/* Names are separated by colons; the first is the usual one. */
static bool has_name(const char* names, const char* name) {
  size_t length = strlen(name);
  return strncmp(names, name, length) == 0 && (names[length] == ':' || names[length] == '\0');
}

static void fill(struct wrapped* wrapped, int operation, const char* name) {
  int no_cache = 0;
  const OSSL_ALGORITHM* each = OSSL_PROVIDER_query_operation(default_provider, operation, &no_cache);
  for (; each != NULL && each->algorithm_names != NULL; ++each) {
    if (!has_name(each->algorithm_names, name)) continue;
    wrapped->names = each->algorithm_names;
    for (const OSSL_DISPATCH* entry = each->implementation; entry->function_id != 0; ++entry) {
      if (entry->function_id < WRAPPED_FUNCTIONS) wrapped->functions[entry->function_id] = entry->function;
    }
    return;
  }
}

static void load(void) {
  OSSL_LIB_CTX* library = OSSL_LIB_CTX_new();
  if (library == NULL) return;
  default_provider = OSSL_PROVIDER_load(library, "default");
  if (default_provider == NULL) {
    OSSL_LIB_CTX_free(library);
    return;
  }
  for (int i = 0; i < WRAPPED_ALL; ++i) fill(&found[i], kWanted[i].operation, kWanted[i].name);
}

bool wrapped_load(void) {
  bool complete = CRYPTO_THREAD_run_once(&once, load) == 1;
  for (int i = 0; i < WRAPPED_ALL; ++i) complete = complete && found[i].names != NULL;
  if (!complete) ERR_raise_data(ERR_LIB_USER, ERR_R_INIT_FAIL, "there is no default provider to wrap");
  return complete;
}

const struct wrapped* wrapped_get(enum wrapped_algorithm algorithm) { return &found[algorithm]; }

void* wrapped_provider_context(void) { return OSSL_PROVIDER_get0_provider_ctx(default_provider); }

struct context* context_new(const struct provider* provider, const struct wrapped* wrapped, void* inner) {
  struct context* context = inner == NULL ? NULL : OPENSSL_zalloc(sizeof(*context));
  if (context == NULL) return NULL;
  context->provider = provider;
  context->wrapped = wrapped;
  context->inner = inner;
  return context;
}
