/*
 * Keys are the default provider's own, with its functions, except that generation pauses and private keys stay.
 * libcrypto would take an exportable private key to another provider whenever an operation is fetched there: silently,
 * and nothing would pause any more.
 */
#include <openssl/core_names.h>
#include <openssl/err.h>

#include "wrapped.h"

static void* new_key(enum wrapped_algorithm algorithm) {
  return WRAPPED_CALL(keymgmt_new, wrapped_get(algorithm), OSSL_FUNC_KEYMGMT_NEW)(wrapped_provider_context());
}

static void* begin_generation(enum wrapped_algorithm algorithm, int selection, const OSSL_PARAM params[]) {
  return WRAPPED_CALL(keymgmt_gen_init, wrapped_get(algorithm), OSSL_FUNC_KEYMGMT_GEN_INIT)(wrapped_provider_context(),
                                                                                            selection, params);
}

static int export_key(enum wrapped_algorithm algorithm, void* key, int selection, OSSL_CALLBACK* callback,
                      void* argument) {
  if ((selection & OSSL_KEYMGMT_SELECT_PRIVATE_KEY) != 0) {
    ERR_raise_data(ERR_LIB_USER, ERR_R_UNSUPPORTED, "private keys do not leave the reference hardware");
    return 0;
  }
  return WRAPPED_CALL(keymgmt_export, wrapped_get(algorithm), OSSL_FUNC_KEYMGMT_EXPORT)(key, selection, callback,
                                                                                        argument);
}

/* These three kinds of functions are not told their algorithm. */
static OSSL_FUNC_keymgmt_new_fn new_rsa;
static void* new_rsa(void* provider) {
  (void)provider;
  return new_key(WRAPPED_RSA_KEYS);
}

static OSSL_FUNC_keymgmt_new_fn new_ec;
static void* new_ec(void* provider) {
  (void)provider;
  return new_key(WRAPPED_EC_KEYS);
}

static OSSL_FUNC_keymgmt_gen_init_fn generate_rsa;
static void* generate_rsa(void* provider, int selection, const OSSL_PARAM params[]) {
  (void)provider;
  return begin_generation(WRAPPED_RSA_KEYS, selection, params);
}

static OSSL_FUNC_keymgmt_gen_init_fn generate_ec;
static void* generate_ec(void* provider, int selection, const OSSL_PARAM params[]) {
  (void)provider;
  return begin_generation(WRAPPED_EC_KEYS, selection, params);
}

static OSSL_FUNC_keymgmt_export_fn export_rsa;
static int export_rsa(void* key, int selection, OSSL_CALLBACK* callback, void* argument) {
  return export_key(WRAPPED_RSA_KEYS, key, selection, callback, argument);
}

static OSSL_FUNC_keymgmt_export_fn export_ec;
static int export_ec(void* key, int selection, OSSL_CALLBACK* callback, void* argument) {
  return export_key(WRAPPED_EC_KEYS, key, selection, callback, argument);
}

/* The default provider's functions as they are: they get a key, or nothing that differs. */
static const int kTheirs[] = {
    OSSL_FUNC_KEYMGMT_GEN_SET_TEMPLATE,
    OSSL_FUNC_KEYMGMT_GEN_SET_PARAMS,
    OSSL_FUNC_KEYMGMT_GEN_SETTABLE_PARAMS,
    OSSL_FUNC_KEYMGMT_GEN,
    OSSL_FUNC_KEYMGMT_GEN_CLEANUP,
    OSSL_FUNC_KEYMGMT_FREE,
    OSSL_FUNC_KEYMGMT_GET_PARAMS,
    OSSL_FUNC_KEYMGMT_GETTABLE_PARAMS,
    OSSL_FUNC_KEYMGMT_SET_PARAMS,
    OSSL_FUNC_KEYMGMT_SETTABLE_PARAMS,
    OSSL_FUNC_KEYMGMT_QUERY_OPERATION_NAME,
    OSSL_FUNC_KEYMGMT_HAS,
    OSSL_FUNC_KEYMGMT_VALIDATE,
    OSSL_FUNC_KEYMGMT_MATCH,
    OSSL_FUNC_KEYMGMT_IMPORT,
    OSSL_FUNC_KEYMGMT_IMPORT_TYPES,
    OSSL_FUNC_KEYMGMT_EXPORT_TYPES,
    OSSL_FUNC_KEYMGMT_DUP,
};

enum { THEIRS = sizeof(kTheirs) / sizeof(kTheirs[0]), OURS = 3 };

static OSSL_DISPATCH rsa_functions[OURS + THEIRS + 1] = {
    {OSSL_FUNC_KEYMGMT_NEW, (void (*)(void))new_rsa},
    {OSSL_FUNC_KEYMGMT_GEN_INIT, (void (*)(void))generate_rsa},
    {OSSL_FUNC_KEYMGMT_EXPORT, (void (*)(void))export_rsa},
};
static OSSL_DISPATCH ec_functions[OURS + THEIRS + 1] = {
    {OSSL_FUNC_KEYMGMT_NEW, (void (*)(void))new_ec},
    {OSSL_FUNC_KEYMGMT_GEN_INIT, (void (*)(void))generate_ec},
    {OSSL_FUNC_KEYMGMT_EXPORT, (void (*)(void))export_ec},
};

static void add_theirs(OSSL_DISPATCH* functions, const struct wrapped* wrapped) {
  size_t count = OURS;
  for (size_t i = 0; i < THEIRS; ++i) {
    if (wrapped->functions[kTheirs[i]] == NULL) continue;
    functions[count].function_id = kTheirs[i];
    functions[count++].function = wrapped->functions[kTheirs[i]];
  }
}

void keymgmt_prepare(void) {
  add_theirs(rsa_functions, wrapped_get(WRAPPED_RSA_KEYS));
  add_theirs(ec_functions, wrapped_get(WRAPPED_EC_KEYS));
}

const OSSL_DISPATCH* keymgmt_functions(enum wrapped_algorithm algorithm) {
  return algorithm == WRAPPED_RSA_KEYS ? rsa_functions : ec_functions;
}
