/*
 * Private keys by their id, which is the path of a PEM file; a real device would have them in its memory. Where the
 * file is encrypted, its passphrase is the PIN, which the application's UI_METHOD is asked for.
 */
#include <openssl/bio.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <openssl/ui.h>
#include <string.h>

#include "engine.h"

struct asking {
  const char* id;
  UI_METHOD* method;
  void* data;
  bool refused;
};

/* Returns the length of the PIN, or -1. */
static int ask_pin(char* pin, int room, int writing, void* argument) {
  struct asking* asking = argument;
  UI* ui = asking->refused ? NULL : UI_new_method(asking->method);
  char* prompt = ui == NULL ? NULL : UI_construct_prompt(ui, "PIN", asking->id);
  int length = -1;
  (void)writing;
  if (prompt != NULL) {
    UI_add_user_data(ui, asking->data);
    if (UI_add_input_string(ui, prompt, UI_INPUT_FLAG_DEFAULT_PWD, pin, 0, room - 1) >= 0 && UI_process(ui) == 0) {
      length = (int)strlen(pin);
    }
  }
  asking->refused = length < 0; /* OpenSSL goes on to ask for what else the file may be */
  OPENSSL_free(prompt);
  UI_free(ui);
  return length;
}

static EVP_PKEY* read_key(struct asking* asking) {
  EVP_PKEY* read;
  BIO* file = BIO_new_file(asking->id, "r");
  if (file == NULL) return NULL;
  read = PEM_read_bio_PrivateKey(file, NULL, ask_pin, asking);
  BIO_free(file);
  return read;
}

/* A key of RSA_new_method() has the engine's methods, and a reference to the engine. */
static RSA* bind_rsa(ENGINE* engine, const RSA* from) {
  const BIGNUM *n, *e, *d, *p, *q, *dmp1, *dmq1, *iqmp;
  RSA* rsa = RSA_new_method(engine);
  if (rsa == NULL) return NULL;
  RSA_get0_key(from, &n, &e, &d);
  RSA_get0_factors(from, &p, &q);
  RSA_get0_crt_params(from, &dmp1, &dmq1, &iqmp);
  if (RSA_set0_key(rsa, BN_dup(n), BN_dup(e), BN_dup(d)) == 1 && RSA_set0_factors(rsa, BN_dup(p), BN_dup(q)) == 1 &&
      RSA_set0_crt_params(rsa, BN_dup(dmp1), BN_dup(dmq1), BN_dup(iqmp)) == 1) {
    return rsa;
  }
  RSA_free(rsa);
  return NULL;
}

static EC_KEY* bind_ec(ENGINE* engine, const EC_KEY* from) {
  EC_KEY* key = EC_KEY_new_method(engine);
  if (key != NULL && EC_KEY_set_group(key, EC_KEY_get0_group(from)) == 1 &&
      EC_KEY_set_private_key(key, EC_KEY_get0_private_key(from)) == 1 &&
      EC_KEY_set_public_key(key, EC_KEY_get0_public_key(from)) == 1) {
    return key;
  }
  EC_KEY_free(key);
  return NULL;
}

EVP_PKEY* load_private_key(ENGINE* engine, const char* id, UI_METHOD* ui_method, void* callback_data) {
  struct asking asking = {id, ui_method, callback_data, false};
  EVP_PKEY* read = read_key(&asking);
  EVP_PKEY* key = read == NULL ? NULL : EVP_PKEY_new();
  RSA* rsa = NULL;
  EC_KEY* ec = NULL;
  int bound = 0;
  if (key != NULL && EVP_PKEY_is_a(read, "RSA")) {
    rsa = bind_rsa(engine, EVP_PKEY_get0_RSA(read));
    bound = rsa != NULL && EVP_PKEY_assign_RSA(key, rsa);
    if (!bound) RSA_free(rsa);
  } else if (key != NULL && EVP_PKEY_is_a(read, "EC")) {
    ec = bind_ec(engine, EVP_PKEY_get0_EC_KEY(read));
    bound = ec != NULL && EVP_PKEY_assign_EC_KEY(key, ec);
    if (!bound) EC_KEY_free(ec);
  } else if (key != NULL) {
    ERR_raise_data(ERR_LIB_USER, ERR_R_PASSED_INVALID_ARGUMENT, "the reference engine has RSA and EC keys only");
  }
  EVP_PKEY_free(read);
  if (bound) return key;
  EVP_PKEY_free(key);
  return NULL;
}
