/*
 * A provider as those of PKCS#11 are: linked against libcrypto, and opening the module that `pkcs11-module-path` names.
 * Its parameter `digest` makes the token compute one after a login, in hexadecimal digits; `failure` says what failed.
 *
 *   cc -shared -fPIC token_provider.c -o token_provider.so -Wl,--no-as-needed -lcrypto
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <openssl/core.h>
#include <openssl/core_dispatch.h>
#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/params.h>
#include <stdio.h>
#include <string.h>

typedef unsigned long ulong_t;

struct mechanism {
  ulong_t type;
  void* parameter;
  ulong_t parameter_size;
};

enum { USER = 1, SERIAL_AND_WRITABLE = 6, SHA256 = 0x250, ALREADY_INITIALIZED = 0x191, ALREADY_LOGGED_IN = 0x100 };

static char* module_path;
static char* pin;
static char digest_text[65];
static char failure_text[64];
static void* module;

static int check(const char* name, ulong_t result) {
  if (result == 0) return 1;
  snprintf(failure_text, sizeof(failure_text), "%s: 0x%lx", name, result);
  return 0;
}

static int digest_with_token(void) {
  ulong_t (*initialize)(void*);
  ulong_t (*slots)(unsigned char, ulong_t*, ulong_t*);
  ulong_t (*open)(ulong_t, ulong_t, void*, void*, ulong_t*);
  ulong_t (*login)(ulong_t, ulong_t, unsigned char*, ulong_t);
  ulong_t (*begin)(ulong_t, struct mechanism*);
  ulong_t (*digest)(ulong_t, unsigned char*, ulong_t, unsigned char*, ulong_t*);
  struct mechanism mechanism = {SHA256, NULL, 0};
  ulong_t all[16], count = 16, session, result, size = 32;
  unsigned char bytes[32], data[] = "abc";
  /* As pkcs11-provider does. It is too late to keep the module's libcrypto apart: this provider has loaded it. */
  module = dlopen(module_path, RTLD_NOW | RTLD_LOCAL | RTLD_DEEPBIND);
  if (module == NULL) return check("dlopen", 1);
  *(void**)&initialize = dlsym(module, "C_Initialize");
  *(void**)&slots = dlsym(module, "C_GetSlotList");
  *(void**)&open = dlsym(module, "C_OpenSession");
  *(void**)&login = dlsym(module, "C_Login");
  *(void**)&begin = dlsym(module, "C_DigestInit");
  *(void**)&digest = dlsym(module, "C_Digest");
  result = initialize(NULL);
  if (result != ALREADY_INITIALIZED && !check("C_Initialize", result)) return 0;
  if (!check("C_GetSlotList", slots(1, all, &count))) return 0;
  if (!check("C_OpenSession", open(all[0], SERIAL_AND_WRITABLE, NULL, NULL, &session))) return 0;
  result = login(session, USER, (unsigned char*)pin, strlen(pin));
  if (result != ALREADY_LOGGED_IN && !check("C_Login", result)) return 0;
  if (!check("C_DigestInit", begin(session, &mechanism))) return 0;
  if (!check("C_Digest", digest(session, data, 3, bytes, &size))) return 0;
  for (int i = 0; i < 32; ++i) snprintf(digest_text + 2 * i, 3, "%02x", bytes[i]);
  return 1;
}

static int get_params(void* context, OSSL_PARAM params[]) {
  OSSL_PARAM* param;
  (void)context;
  if ((param = OSSL_PARAM_locate(params, OSSL_PROV_PARAM_NAME)) != NULL) OSSL_PARAM_set_utf8_ptr(param, "token");
  if ((param = OSSL_PARAM_locate(params, OSSL_PROV_PARAM_STATUS)) != NULL) OSSL_PARAM_set_int(param, 1);
  if ((param = OSSL_PARAM_locate(params, "failure")) != NULL) OSSL_PARAM_set_utf8_ptr(param, failure_text);
  if ((param = OSSL_PARAM_locate(params, "libcrypto")) != NULL) {
    OSSL_PARAM_set_utf8_ptr(param, OpenSSL_version(OPENSSL_FULL_VERSION_STRING));
  }
  param = OSSL_PARAM_locate(params, "digest");
  return param == NULL || (digest_with_token() && OSSL_PARAM_set_utf8_ptr(param, digest_text));
}

static const OSSL_DISPATCH functions[] = {
    {OSSL_FUNC_PROVIDER_GET_PARAMS, (void (*)(void))get_params},
    {0, NULL},
};

int OSSL_provider_init(const OSSL_CORE_HANDLE* handle, const OSSL_DISPATCH* in, const OSSL_DISPATCH** out,
                       void** context) {
  const char* path = NULL;
  const char* secret = NULL;
  OSSL_PARAM params[] = {OSSL_PARAM_construct_utf8_ptr("pkcs11-module-path", (char**)&path, 0),
                         OSSL_PARAM_construct_utf8_ptr("pkcs11-module-pin", (char**)&secret, 0),
                         OSSL_PARAM_construct_end()};
  OSSL_FUNC_core_get_params_fn* get = NULL;
  for (; in->function_id != 0; ++in) {
    if (in->function_id == OSSL_FUNC_CORE_GET_PARAMS) get = OSSL_FUNC_core_get_params(in);
  }
  if (get == NULL || !get(handle, params)) return 0;
  module_path = OPENSSL_strdup(path == NULL ? "" : path);
  pin = OPENSSL_strdup(secret == NULL ? "" : secret);
  *out = functions;
  *context = (void*)handle;
  return 1;
}
