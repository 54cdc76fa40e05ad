/*
 * RSA and ECDSA. OpenSSL's own functions do the hardware's work, on a thread of the device while the job is paused.
 * Their arguments are in the caller's frame, and stay there until hardware_run() returns.
 */
#include <openssl/ec.h>
#include <openssl/rsa.h>

#include "engine.h"

/* Made once and never freed: keys may outlive the engine's last reference. */
static RSA_METHOD* our_rsa;
static EC_KEY_METHOD* our_ec;

typedef int (*rsa_function)(int, const unsigned char*, unsigned char*, RSA*, int);
typedef ECDSA_SIG* (*sign_function)(const unsigned char*, int, const BIGNUM*, const BIGNUM*, EC_KEY*);

struct rsa_work {
  rsa_function function;
  int length;
  const unsigned char* from;
  unsigned char* to;
  RSA* rsa;
  int padding;
  int result;
};

static int do_rsa(void* argument) {
  struct rsa_work* work = argument;
  work->result = work->function(work->length, work->from, work->to, work->rsa, work->padding);
  return work->result >= 0;
}

static int run_rsa(struct rsa_work* work) {
  struct hardware* hardware = device();
  return hardware != NULL && hardware_run(hardware, do_rsa, work) == 1 ? work->result : -1;
}

static int private_encrypt(int length, const unsigned char* from, unsigned char* to, RSA* rsa, int padding) {
  struct rsa_work work = {RSA_meth_get_priv_enc(RSA_PKCS1_OpenSSL()), length, from, to, rsa, padding, -1};
  return run_rsa(&work);
}

static int private_decrypt(int length, const unsigned char* from, unsigned char* to, RSA* rsa, int padding) {
  struct rsa_work work = {RSA_meth_get_priv_dec(RSA_PKCS1_OpenSSL()), length, from, to, rsa, padding, -1};
  return run_rsa(&work);
}

struct sign_work {
  sign_function function;
  const unsigned char* digest;
  int length;
  const BIGNUM* k_inverse;
  const BIGNUM* r;
  EC_KEY* key;
  ECDSA_SIG* result;
};

static int do_sign(void* argument) {
  struct sign_work* work = argument;
  work->result = work->function(work->digest, work->length, work->k_inverse, work->r, work->key);
  return work->result != NULL;
}

/* Of the method's three functions for signatures, the one that the first calls for the work itself. */
static ECDSA_SIG* sign(const unsigned char* digest, int length, const BIGNUM* k_inverse, const BIGNUM* r, EC_KEY* key) {
  struct hardware* hardware = device();
  struct sign_work work = {NULL, digest, length, k_inverse, r, key, NULL};
  EC_KEY_METHOD_get_sign(EC_KEY_OpenSSL(), NULL, NULL, &work.function);
  return hardware != NULL && hardware_run(hardware, do_sign, &work) == 1 ? work.result : NULL;
}

bool create_methods(void) {
  int (*sign_whole)(int, const unsigned char*, int, unsigned char*, unsigned int*, const BIGNUM*, const BIGNUM*,
                    EC_KEY*) = NULL;
  int (*sign_setup)(EC_KEY*, BN_CTX*, BIGNUM**, BIGNUM**) = NULL;
  our_rsa = RSA_meth_dup(RSA_PKCS1_OpenSSL());
  our_ec = EC_KEY_METHOD_new(EC_KEY_OpenSSL());
  if (our_rsa == NULL || our_ec == NULL) return false;
  EC_KEY_METHOD_get_sign(EC_KEY_OpenSSL(), &sign_whole, &sign_setup, NULL);
  EC_KEY_METHOD_set_sign(our_ec, sign_whole, sign_setup, sign);
  return RSA_meth_set1_name(our_rsa, "reference") && RSA_meth_set_priv_enc(our_rsa, private_encrypt) &&
         RSA_meth_set_priv_dec(our_rsa, private_decrypt);
}

const RSA_METHOD* rsa_method(void) { return our_rsa; }
const EC_KEY_METHOD* ec_method(void) { return our_ec; }
