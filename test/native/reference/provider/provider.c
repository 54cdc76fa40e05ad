/*
 * The provider: its parameters, and OpenSSL's calls when it comes and goes.
 *
 * Of its section of a configuration file it takes the device's settings, see hardware.h. To be read, in any thread, it
 * has all counters, and
 *
 *   mode   as it was set
 *   poll   to read it, as a number, collects what the device has finished in the mode poll, and tells the jobs; it is
 *          how many there were
 *   alive  0 when requests wait and nothing comes of them
 */
#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/params.h>
#include <stdlib.h>
#include <string.h>

#include "wrapped.h"

#define PROPERTIES "provider=reference"

static OSSL_ALGORITHM keymgmt_algorithms[3];
static OSSL_ALGORITHM signature_algorithms[3];
static OSSL_ALGORITHM cipher_algorithms[2];
static OSSL_PARAM gettable[HARDWARE_COUNTERS + 8];
static CRYPTO_ONCE once = CRYPTO_ONCE_STATIC_INIT;

static OSSL_ALGORITHM algorithm(enum wrapped_algorithm which, const OSSL_DISPATCH* functions, const char* description) {
  OSSL_ALGORITHM result = {wrapped_get(which)->names, PROPERTIES, functions, description};
  return result;
}

static OSSL_PARAM description_of(const char* name, unsigned type) {
  OSSL_PARAM result = {name, type, NULL, 0, OSSL_PARAM_UNMODIFIED};
  return result;
}

static void prepare(void) {
  static const char* const kTexts[] = {OSSL_PROV_PARAM_NAME, OSSL_PROV_PARAM_VERSION, OSSL_PROV_PARAM_BUILDINFO,
                                       "mode"};
  static const char* const kNumbers[] = {OSSL_PROV_PARAM_STATUS, "poll", "alive"};
  OSSL_PARAM* next = gettable;
  keymgmt_prepare();
  keymgmt_algorithms[0] = algorithm(WRAPPED_RSA_KEYS, keymgmt_functions(WRAPPED_RSA_KEYS), "RSA keys");
  keymgmt_algorithms[1] = algorithm(WRAPPED_EC_KEYS, keymgmt_functions(WRAPPED_EC_KEYS), "EC keys");
  signature_algorithms[0] = algorithm(WRAPPED_RSA, kRsaSignature, "RSA that pauses");
  signature_algorithms[1] = algorithm(WRAPPED_ECDSA, kEcdsaSignature, "ECDSA that pauses");
  cipher_algorithms[0] = algorithm(WRAPPED_RSA_CIPHER, kRsaCipher, "RSA that pauses");
  for (size_t i = 0; i < sizeof(kTexts) / sizeof(kTexts[0]); ++i)
    *next++ = description_of(kTexts[i], OSSL_PARAM_UTF8_PTR);
  for (size_t i = 0; i < sizeof(kNumbers) / sizeof(kNumbers[0]); ++i) {
    *next++ = description_of(kNumbers[i], OSSL_PARAM_UNSIGNED_INTEGER);
  }
  for (size_t i = 0; i < HARDWARE_COUNTERS; ++i) {
    *next++ = description_of(hardware_counter_names[i], OSSL_PARAM_UNSIGNED_INTEGER);
  }
}

/* --- Settings */

static bool set_number(struct hardware* hardware, enum hardware_number which, const char* text) {
  char* end;
  long long value = strtoll(text, &end, 10);
  if (*text != '\0' && *end == '\0') return hardware_set_number(hardware, which, value);
  ERR_raise_data(ERR_LIB_USER, ERR_R_PASSED_INVALID_ARGUMENT, "%s of the reference hardware must be a number",
                 hardware_number_names[which]);
  return false;
}

/* OpenSSL hands out the text of the lines in the provider's section. */
static bool configure(const struct provider* provider, OSSL_FUNC_core_get_params_fn* get_core_params) {
  char* mode = NULL;
  char* numbers[HARDWARE_NUMBERS] = {NULL};
  OSSL_PARAM params[HARDWARE_NUMBERS + 2];
  for (int i = 0; i < HARDWARE_NUMBERS; ++i) {
    params[i] = OSSL_PARAM_construct_utf8_ptr(hardware_number_names[i], &numbers[i], 0);
  }
  params[HARDWARE_NUMBERS] = OSSL_PARAM_construct_utf8_ptr("mode", &mode, 0);
  params[HARDWARE_NUMBERS + 1] = OSSL_PARAM_construct_end();
  if (!get_core_params(provider->handle, params)) return false;
  for (int i = 0; i < HARDWARE_NUMBERS; ++i) {
    if (numbers[i] != NULL && !set_number(provider->hardware, i, numbers[i])) return false;
  }
  return mode == NULL || hardware_set_mode(provider->hardware, mode);
}

/* --- Parameters */

static OSSL_FUNC_provider_gettable_params_fn gettable_params;
static const OSSL_PARAM* gettable_params(void* provider) {
  (void)provider;
  return gettable;
}

static bool set_text(OSSL_PARAM* params, const char* name, const char* value) {
  OSSL_PARAM* param = OSSL_PARAM_locate(params, name);
  return param == NULL || OSSL_PARAM_set_utf8_ptr(param, value);
}

/* Null when it is not asked for, or not as a number. */
static OSSL_PARAM* find_number(OSSL_PARAM* params, const char* name) {
  OSSL_PARAM* param = OSSL_PARAM_locate(params, name);
  bool number =
      param != NULL && (param->data_type == OSSL_PARAM_UNSIGNED_INTEGER || param->data_type == OSSL_PARAM_INTEGER);
  return number ? param : NULL;
}

static OSSL_FUNC_provider_get_params_fn get_params;
static int get_params(void* data, OSSL_PARAM params[]) {
  struct hardware* hardware = ((struct provider*)data)->hardware;
  OSSL_PARAM* param;
  if (!set_text(params, OSSL_PROV_PARAM_NAME, "A simulated accelerator that pauses jobs") ||
      !set_text(params, OSSL_PROV_PARAM_VERSION, "1.0") || !set_text(params, OSSL_PROV_PARAM_BUILDINFO, "reference") ||
      !set_text(params, "mode", hardware_mode_name(hardware))) {
    return 0;
  }
  if ((param = find_number(params, OSSL_PROV_PARAM_STATUS)) != NULL && !OSSL_PARAM_set_int(param, 1)) return 0;
  if ((param = find_number(params, "alive")) != NULL && !OSSL_PARAM_set_int(param, hardware_is_alive(hardware))) {
    return 0;
  }
  if ((param = find_number(params, "poll")) != NULL && !OSSL_PARAM_set_int(param, hardware_poll(hardware))) return 0;
  for (int i = 0; i < HARDWARE_COUNTERS; ++i) {
    param = find_number(params, hardware_counter_names[i]);
    if (param != NULL && !OSSL_PARAM_set_uint64(param, hardware_get_counter(hardware, i))) return 0;
  }
  return 1;
}

static int succeed(void* argument) {
  (void)argument;
  return 1;
}

/* The device answers a request. */
static OSSL_FUNC_provider_self_test_fn self_test;
static int self_test(void* provider) { return hardware_run(((struct provider*)provider)->hardware, succeed, NULL) > 0; }

static OSSL_FUNC_provider_query_operation_fn query_operation;
static const OSSL_ALGORITHM* query_operation(void* provider, int operation, int* no_cache) {
  (void)provider;
  *no_cache = 0;
  switch (operation) {
    case OSSL_OP_KEYMGMT:
      return keymgmt_algorithms;
    case OSSL_OP_SIGNATURE:
      return signature_algorithms;
    case OSSL_OP_ASYM_CIPHER:
      return cipher_algorithms;
    default:
      return NULL;
  }
}

/* --- Loading and unloading */

/* Nobody has any of its objects: the threads can be joined. */
static OSSL_FUNC_provider_teardown_fn teardown;
static void teardown(void* data) {
  struct provider* provider = data;
  hardware_free(provider->hardware);
  OPENSSL_free(provider);
}

static const OSSL_DISPATCH kFunctions[] = {
    {OSSL_FUNC_PROVIDER_TEARDOWN, (void (*)(void))teardown},
    {OSSL_FUNC_PROVIDER_GETTABLE_PARAMS, (void (*)(void))gettable_params},
    {OSSL_FUNC_PROVIDER_GET_PARAMS, (void (*)(void))get_params},
    {OSSL_FUNC_PROVIDER_SELF_TEST, (void (*)(void))self_test},
    {OSSL_FUNC_PROVIDER_QUERY_OPERATION, (void (*)(void))query_operation},
    {0, NULL},
};

__attribute__((visibility("default"))) OSSL_provider_init_fn OSSL_provider_init;
int OSSL_provider_init(const OSSL_CORE_HANDLE* handle, const OSSL_DISPATCH* core, const OSSL_DISPATCH** functions,
                       void** context) {
  OSSL_FUNC_core_get_params_fn* get_core_params = NULL;
  struct provider* provider;
  for (; core->function_id != 0; ++core) {
    if (core->function_id == OSSL_FUNC_CORE_GET_PARAMS) get_core_params = OSSL_FUNC_core_get_params(core);
  }
  if (get_core_params == NULL || !wrapped_load() || !CRYPTO_THREAD_run_once(&once, prepare)) return 0;
  provider = OPENSSL_zalloc(sizeof(*provider));
  if (provider == NULL) return 0;
  provider->handle = handle;
  provider->hardware = hardware_new();
  if (provider->hardware == NULL || !configure(provider, get_core_params)) {
    teardown(provider);
    return 0;
  }
  *functions = kFunctions;
  *context = provider;
  return 1;
}
