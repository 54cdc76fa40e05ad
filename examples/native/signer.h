/* RSA signatures (SHA-256, PKCS#1 v1.5) computed by a small pool of threads, for jobs that pause meanwhile. */
#ifndef OPENSSL_ASYNC_EXAMPLES_SIGNER_H_
#define OPENSSL_ASYNC_EXAMPLES_SIGNER_H_

#include <openssl/evp.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { SIGNER_MAX_THREADS = 64, SIGNER_MAX_REQUESTS = 1 << 20 };

/* A thread that runs jobs has at most one signer, and only that thread calls these functions. */

/* Takes the key over. False, with an OpenSSL error, when there is a signer already or it cannot be made. */
bool signer_set_up(EVP_PKEY* key, size_t threads, size_t max_requests);

/* Ends the threads: what they compute is finished, what is queued fails, and the jobs that wait for it are woken. */
void signer_shut_down(void);

/* Room for one signature of a copy of `message`. False when there is no room, or no signer. */
bool signer_prepare(const void* message, size_t length, uint32_t* request);

/* The job function. `args` is the number of a prepared request, a uint32_t. Returns 1, or 0 with an OpenSSL error. */
int signer_run_job(void* args);

/* The signature of a request; NULL when it has none. */
const unsigned char* signer_signature(uint32_t request, size_t* length);

/* Gives a request's room back. False while its job is running. */
bool signer_release(uint32_t request);

#endif
