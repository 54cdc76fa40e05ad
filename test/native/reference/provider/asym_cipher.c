/* RSA, for encryption. To decrypt needs the private key, and pauses. */
#include <openssl/crypto.h>

#include "wrapped.h"

static OSSL_FUNC_asym_cipher_freectx_fn free_context;
static void free_context(void* data) {
  struct context* context = data;
  if (context == NULL) return;
  WRAPPED_CALL(asym_cipher_freectx, context->wrapped, OSSL_FUNC_ASYM_CIPHER_FREECTX)(context->inner);
  OPENSSL_free(context);
}

static void* wrap_context(const struct provider* provider, void* inner) {
  const struct wrapped* wrapped = wrapped_get(WRAPPED_RSA_CIPHER);
  struct context* context = context_new(provider, wrapped, inner);
  if (context == NULL && inner != NULL) {
    WRAPPED_CALL(asym_cipher_freectx, wrapped, OSSL_FUNC_ASYM_CIPHER_FREECTX)(inner);
  }
  return context;
}

static OSSL_FUNC_asym_cipher_newctx_fn new_context;
static void* new_context(void* provider) {
  const struct wrapped* wrapped = wrapped_get(WRAPPED_RSA_CIPHER);
  return wrap_context(
      provider, WRAPPED_CALL(asym_cipher_newctx, wrapped, OSSL_FUNC_ASYM_CIPHER_NEWCTX)(wrapped_provider_context()));
}

static OSSL_FUNC_asym_cipher_dupctx_fn duplicate;
static void* duplicate(void* data) {
  struct context* context = data;
  return wrap_context(context->provider,
                      WRAPPED_CALL(asym_cipher_dupctx, context->wrapped, OSSL_FUNC_ASYM_CIPHER_DUPCTX)(context->inner));
}

static OSSL_FUNC_asym_cipher_encrypt_init_fn encrypt_init;
static int encrypt_init(void* data, void* key, const OSSL_PARAM params[]) {
  struct context* context = data;
  return WRAPPED_CALL(asym_cipher_encrypt_init, context->wrapped, OSSL_FUNC_ASYM_CIPHER_ENCRYPT_INIT)(context->inner,
                                                                                                      key, params);
}

static OSSL_FUNC_asym_cipher_decrypt_init_fn decrypt_init;
static int decrypt_init(void* data, void* key, const OSSL_PARAM params[]) {
  struct context* context = data;
  return WRAPPED_CALL(asym_cipher_decrypt_init, context->wrapped, OSSL_FUNC_ASYM_CIPHER_DECRYPT_INIT)(context->inner,
                                                                                                      key, params);
}

static OSSL_FUNC_asym_cipher_encrypt_fn encrypt;
static int encrypt(void* data, unsigned char* out, size_t* size, size_t room, const unsigned char* in, size_t in_size) {
  struct context* context = data;
  return WRAPPED_CALL(asym_cipher_encrypt, context->wrapped, OSSL_FUNC_ASYM_CIPHER_ENCRYPT)(context->inner, out, size,
                                                                                            room, in, in_size);
}

struct decrypt_work {
  struct context* context;
  unsigned char* out;
  size_t* size;
  size_t room;
  const unsigned char* in;
  size_t in_size;
};

/* On a thread of the device. */
static int do_decrypt(void* argument) {
  struct decrypt_work* work = argument;
  return WRAPPED_CALL(asym_cipher_decrypt, work->context->wrapped, OSSL_FUNC_ASYM_CIPHER_DECRYPT)(
      work->context->inner, work->out, work->size, work->room, work->in, work->in_size);
}

static OSSL_FUNC_asym_cipher_decrypt_fn decrypt;
static int decrypt(void* data, unsigned char* out, size_t* size, size_t room, const unsigned char* in, size_t in_size) {
  struct decrypt_work work = {data, out, size, room, in, in_size};
  if (out == NULL) return do_decrypt(&work); /* asks for the size */
  return hardware_run(work.context->provider->hardware, do_decrypt, &work);
}

static OSSL_FUNC_asym_cipher_get_ctx_params_fn get_params;
static int get_params(void* data, OSSL_PARAM params[]) {
  struct context* context = data;
  return WRAPPED_CALL(asym_cipher_get_ctx_params, context->wrapped, OSSL_FUNC_ASYM_CIPHER_GET_CTX_PARAMS)(
      context->inner, params);
}

static OSSL_FUNC_asym_cipher_set_ctx_params_fn set_params;
static int set_params(void* data, const OSSL_PARAM params[]) {
  struct context* context = data;
  return WRAPPED_CALL(asym_cipher_set_ctx_params, context->wrapped, OSSL_FUNC_ASYM_CIPHER_SET_CTX_PARAMS)(
      context->inner, params);
}

static OSSL_FUNC_asym_cipher_gettable_ctx_params_fn gettable_params;
static const OSSL_PARAM* gettable_params(void* data, void* provider) {
  struct context* context = data;
  (void)provider;
  return WRAPPED_CALL(asym_cipher_gettable_ctx_params, wrapped_get(WRAPPED_RSA_CIPHER),
                      OSSL_FUNC_ASYM_CIPHER_GETTABLE_CTX_PARAMS)(context == NULL ? NULL : context->inner,
                                                                 wrapped_provider_context());
}

static OSSL_FUNC_asym_cipher_settable_ctx_params_fn settable_params;
static const OSSL_PARAM* settable_params(void* data, void* provider) {
  struct context* context = data;
  (void)provider;
  return WRAPPED_CALL(asym_cipher_settable_ctx_params, wrapped_get(WRAPPED_RSA_CIPHER),
                      OSSL_FUNC_ASYM_CIPHER_SETTABLE_CTX_PARAMS)(context == NULL ? NULL : context->inner,
                                                                 wrapped_provider_context());
}

#define FUNCTION(id, function) \
  { OSSL_FUNC_ASYM_CIPHER_##id, (void (*)(void))(function) }

const OSSL_DISPATCH kRsaCipher[] = {
    FUNCTION(NEWCTX, new_context),
    FUNCTION(FREECTX, free_context),
    FUNCTION(DUPCTX, duplicate),
    FUNCTION(ENCRYPT_INIT, encrypt_init),
    FUNCTION(ENCRYPT, encrypt),
    FUNCTION(DECRYPT_INIT, decrypt_init),
    FUNCTION(DECRYPT, decrypt),
    FUNCTION(GET_CTX_PARAMS, get_params),
    FUNCTION(GETTABLE_CTX_PARAMS, gettable_params),
    FUNCTION(SET_CTX_PARAMS, set_params),
    FUNCTION(SETTABLE_CTX_PARAMS, settable_params),
    {0, NULL},
};
