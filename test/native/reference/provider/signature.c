/*
 * Signatures. Work with the private key pauses; set-up, hashing and verifying run on the caller's thread.
 */
#include <openssl/crypto.h>

#include "wrapped.h"

static OSSL_FUNC_signature_freectx_fn free_context;
static void free_context(void* data) {
  struct context* context = data;
  if (context == NULL) return;
  WRAPPED_CALL(signature_freectx, context->wrapped, OSSL_FUNC_SIGNATURE_FREECTX)(context->inner);
  OPENSSL_free(context);
}

static void* wrap_context(const struct provider* provider, const struct wrapped* wrapped, void* inner) {
  struct context* context = context_new(provider, wrapped, inner);
  if (context == NULL && inner != NULL) WRAPPED_CALL(signature_freectx, wrapped, OSSL_FUNC_SIGNATURE_FREECTX)(inner);
  return context;
}

static OSSL_FUNC_signature_dupctx_fn duplicate;
static void* duplicate(void* data) {
  struct context* context = data;
  void* inner = WRAPPED_CALL(signature_dupctx, context->wrapped, OSSL_FUNC_SIGNATURE_DUPCTX)(context->inner);
  return wrap_context(context->provider, context->wrapped, inner);
}

/* --- Work with the private key */

struct sign_work {
  struct context* context;
  unsigned char* signature;
  size_t* size;
  size_t room;
  const unsigned char* digest; /* null: the digest of the message that the context has hashed */
  size_t digest_size;
};

/* On a thread of the device. */
static int do_sign(void* argument) {
  struct sign_work* work = argument;
  const struct wrapped* wrapped = work->context->wrapped;
  if (work->digest == NULL) {
    return WRAPPED_CALL(signature_digest_sign_final, wrapped, OSSL_FUNC_SIGNATURE_DIGEST_SIGN_FINAL)(
        work->context->inner, work->signature, work->size, work->room);
  }
  return WRAPPED_CALL(signature_sign, wrapped, OSSL_FUNC_SIGNATURE_SIGN)(
      work->context->inner, work->signature, work->size, work->room, work->digest, work->digest_size);
}

static int run_sign(struct sign_work* work) {
  if (work->signature == NULL) return do_sign(work); /* asks for the size */
  return hardware_run(work->context->provider->hardware, do_sign, work);
}

static OSSL_FUNC_signature_sign_fn sign;
static int sign(void* data, unsigned char* signature, size_t* size, size_t room, const unsigned char* digest,
                size_t digest_size) {
  struct sign_work work = {data, signature, size, room, digest, digest_size};
  return run_sign(&work);
}

static OSSL_FUNC_signature_digest_sign_final_fn finish_sign;
static int finish_sign(void* data, unsigned char* signature, size_t* size, size_t room) {
  struct sign_work work = {data, signature, size, room, NULL, 0};
  return run_sign(&work);
}

/* --- Other work: each calls the default provider's function with its context */

#define INIT(function, type, id)                                                              \
  static OSSL_FUNC_signature_##type##_fn function;                                            \
  static int function(void* data, void* key, const OSSL_PARAM params[]) {                     \
    struct context* context = data;                                                           \
    return WRAPPED_CALL(signature_##type, context->wrapped, id)(context->inner, key, params); \
  }

#define INIT_DIGEST(function, type, id)                                                               \
  static OSSL_FUNC_signature_##type##_fn function;                                                    \
  static int function(void* data, const char* digest, void* key, const OSSL_PARAM params[]) {         \
    struct context* context = data;                                                                   \
    return WRAPPED_CALL(signature_##type, context->wrapped, id)(context->inner, digest, key, params); \
  }

#define WITH_BYTES(function, type, id)                                                        \
  static OSSL_FUNC_signature_##type##_fn function;                                            \
  static int function(void* data, const unsigned char* bytes, size_t size) {                  \
    struct context* context = data;                                                           \
    return WRAPPED_CALL(signature_##type, context->wrapped, id)(context->inner, bytes, size); \
  }

#define WITH_PARAMS(function, type, id, kind)                                            \
  static OSSL_FUNC_signature_##type##_fn function;                                       \
  static int function(void* data, kind params[]) {                                       \
    struct context* context = data;                                                      \
    return WRAPPED_CALL(signature_##type, context->wrapped, id)(context->inner, params); \
  }

#define LIST_DIGEST_PARAMS(function, type, id)                                   \
  static OSSL_FUNC_signature_##type##_fn function;                               \
  static const OSSL_PARAM* function(void* data) {                                \
    struct context* context = data;                                              \
    return WRAPPED_CALL(signature_##type, context->wrapped, id)(context->inner); \
  }

INIT(sign_init, sign_init, OSSL_FUNC_SIGNATURE_SIGN_INIT)
INIT(verify_init, verify_init, OSSL_FUNC_SIGNATURE_VERIFY_INIT)
INIT_DIGEST(digest_sign_init, digest_sign_init, OSSL_FUNC_SIGNATURE_DIGEST_SIGN_INIT)
INIT_DIGEST(digest_verify_init, digest_verify_init, OSSL_FUNC_SIGNATURE_DIGEST_VERIFY_INIT)
WITH_BYTES(update_sign, digest_sign_update, OSSL_FUNC_SIGNATURE_DIGEST_SIGN_UPDATE)
WITH_BYTES(update_verify, digest_verify_update, OSSL_FUNC_SIGNATURE_DIGEST_VERIFY_UPDATE)
WITH_BYTES(finish_verify, digest_verify_final, OSSL_FUNC_SIGNATURE_DIGEST_VERIFY_FINAL)
WITH_PARAMS(get_params, get_ctx_params, OSSL_FUNC_SIGNATURE_GET_CTX_PARAMS, OSSL_PARAM)
WITH_PARAMS(set_params, set_ctx_params, OSSL_FUNC_SIGNATURE_SET_CTX_PARAMS, const OSSL_PARAM)
WITH_PARAMS(get_digest_params, get_ctx_md_params, OSSL_FUNC_SIGNATURE_GET_CTX_MD_PARAMS, OSSL_PARAM)
WITH_PARAMS(set_digest_params, set_ctx_md_params, OSSL_FUNC_SIGNATURE_SET_CTX_MD_PARAMS, const OSSL_PARAM)
LIST_DIGEST_PARAMS(gettable_digest_params, gettable_ctx_md_params, OSSL_FUNC_SIGNATURE_GETTABLE_CTX_MD_PARAMS)
LIST_DIGEST_PARAMS(settable_digest_params, settable_ctx_md_params, OSSL_FUNC_SIGNATURE_SETTABLE_CTX_MD_PARAMS)

static OSSL_FUNC_signature_verify_fn verify;
static int verify(void* data, const unsigned char* signature, size_t size, const unsigned char* digest,
                  size_t digest_size) {
  struct context* context = data;
  return WRAPPED_CALL(signature_verify, context->wrapped, OSSL_FUNC_SIGNATURE_VERIFY)(context->inner, signature, size,
                                                                                      digest, digest_size);
}

/* --- Functions that are not told their algorithm, once for each */

/* The application's query is for our algorithms, and would find no digest of theirs. */

#define OF_ALGORITHM(prefix, algorithm)                                                                         \
  static OSSL_FUNC_signature_newctx_fn prefix##_new;                                                            \
  static void* prefix##_new(void* provider, const char* properties) {                                           \
    const struct wrapped* wrapped = wrapped_get(algorithm);                                                     \
    (void)properties;                                                                                           \
    return wrap_context(                                                                                        \
        provider, wrapped,                                                                                      \
        WRAPPED_CALL(signature_newctx, wrapped, OSSL_FUNC_SIGNATURE_NEWCTX)(wrapped_provider_context(), NULL)); \
  }                                                                                                             \
  static OSSL_FUNC_signature_gettable_ctx_params_fn prefix##_gettable;                                          \
  static const OSSL_PARAM* prefix##_gettable(void* data, void* provider) {                                      \
    struct context* context = data;                                                                             \
    (void)provider;                                                                                             \
    return WRAPPED_CALL(signature_gettable_ctx_params, wrapped_get(algorithm),                                  \
                        OSSL_FUNC_SIGNATURE_GETTABLE_CTX_PARAMS)(context == NULL ? NULL : context->inner,       \
                                                                 wrapped_provider_context());                   \
  }                                                                                                             \
  static OSSL_FUNC_signature_settable_ctx_params_fn prefix##_settable;                                          \
  static const OSSL_PARAM* prefix##_settable(void* data, void* provider) {                                      \
    struct context* context = data;                                                                             \
    (void)provider;                                                                                             \
    return WRAPPED_CALL(signature_settable_ctx_params, wrapped_get(algorithm),                                  \
                        OSSL_FUNC_SIGNATURE_SETTABLE_CTX_PARAMS)(context == NULL ? NULL : context->inner,       \
                                                                 wrapped_provider_context());                   \
  }                                                                                                             \
  const OSSL_DISPATCH

#define FUNCTION(id, function) \
  { OSSL_FUNC_SIGNATURE_##id, (void (*)(void))(function) }

#define FUNCTIONS(prefix)                                                                                         \
  {                                                                                                               \
    FUNCTION(NEWCTX, prefix##_new), FUNCTION(FREECTX, free_context), FUNCTION(DUPCTX, duplicate),                 \
        FUNCTION(SIGN_INIT, sign_init), FUNCTION(SIGN, sign), FUNCTION(VERIFY_INIT, verify_init),                 \
        FUNCTION(VERIFY, verify), FUNCTION(DIGEST_SIGN_INIT, digest_sign_init),                                   \
        FUNCTION(DIGEST_SIGN_UPDATE, update_sign), FUNCTION(DIGEST_SIGN_FINAL, finish_sign),                      \
        FUNCTION(DIGEST_VERIFY_INIT, digest_verify_init), FUNCTION(DIGEST_VERIFY_UPDATE, update_verify),          \
        FUNCTION(DIGEST_VERIFY_FINAL, finish_verify), FUNCTION(GET_CTX_PARAMS, get_params),                       \
        FUNCTION(GETTABLE_CTX_PARAMS, prefix##_gettable), FUNCTION(SET_CTX_PARAMS, set_params),                   \
        FUNCTION(SETTABLE_CTX_PARAMS, prefix##_settable), FUNCTION(GET_CTX_MD_PARAMS, get_digest_params),         \
        FUNCTION(GETTABLE_CTX_MD_PARAMS, gettable_digest_params), FUNCTION(SET_CTX_MD_PARAMS, set_digest_params), \
        FUNCTION(SETTABLE_CTX_MD_PARAMS, settable_digest_params), {                                               \
      0, NULL                                                                                                     \
    }                                                                                                             \
  }

OF_ALGORITHM(rsa, WRAPPED_RSA) kRsaSignature[] = FUNCTIONS(rsa);
OF_ALGORITHM(ecdsa, WRAPPED_ECDSA) kEcdsaSignature[] = FUNCTIONS(ecdsa);
