/*
 * SHA-1, which the command DIGESTS adds. As with other engines' digests, programs get it that ask OpenSSL for the
 * engine, and all programs when the engine is the process's default.
 */
#include <openssl/evp.h>
#include <openssl/obj_mac.h>
#include <openssl/sha.h>

#include "engine.h"

/* Made once and never freed, as the methods. */
static EVP_MD* our_sha1;

struct update_work {
  EVP_MD_CTX* context;
  const void* data;
  size_t length;
};

static int do_update(void* argument) {
  struct update_work* work = argument;
  return EVP_MD_meth_get_update(EVP_sha1())(work->context, work->data, work->length);
}

static int init(EVP_MD_CTX* context) { return EVP_MD_meth_get_init(EVP_sha1())(context); }

static int update(EVP_MD_CTX* context, const void* data, size_t length) {
  struct hardware* hardware = device();
  struct update_work work = {context, data, length};
  return hardware != NULL && hardware_run(hardware, do_update, &work) == 1;
}

static int final(EVP_MD_CTX* context, unsigned char* digest) {
  return EVP_MD_meth_get_final(EVP_sha1())(context, digest);
}

static int find_digest(ENGINE* engine, const EVP_MD** digest, const int** types, int type) {
  static const int kTypes[] = {NID_sha1, 0};
  (void)engine;
  if (digest == NULL) {
    *types = kTypes;
    return 1;
  }
  *digest = type == NID_sha1 ? our_sha1 : NULL;
  return *digest != NULL;
}

bool create_digest(void) {
  our_sha1 = EVP_MD_meth_new(NID_sha1, NID_sha1WithRSAEncryption);
  return our_sha1 != NULL && EVP_MD_meth_set_result_size(our_sha1, SHA_DIGEST_LENGTH) &&
         EVP_MD_meth_set_input_blocksize(our_sha1, SHA_CBLOCK) &&
         EVP_MD_meth_set_app_datasize(our_sha1, sizeof(EVP_MD*) + sizeof(SHA_CTX)) &&
         EVP_MD_meth_set_init(our_sha1, init) && EVP_MD_meth_set_update(our_sha1, update) &&
         EVP_MD_meth_set_final(our_sha1, final);
}

bool add_digests(ENGINE* engine) { return ENGINE_set_digests(engine, find_digest) == 1; }
