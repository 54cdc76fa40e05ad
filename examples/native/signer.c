#include "signer.h"

#include <openssl/async.h>
#include <openssl/err.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_SIGNATURE_BYTES = 512 };

enum phase { FREE, PREPARED, RUNNING, ENDED };

struct request {
  struct request* next; /* in the free list or in the queue */
  enum phase phase;     /* of its job; the thread that runs the jobs looks at it alone */
  bool done;            /* under the signer's mutex */
  unsigned char* message;
  size_t message_length;
  unsigned char signature[MAX_SIGNATURE_BYTES];
  size_t signature_length; /* 0: there is none */
  unsigned long error;
  ASYNC_callback_fn callback; /* may be null */
  void* callback_argument;
};

struct signer {
  EVP_PKEY* key;
  struct request* requests;
  size_t request_count;
  struct request* free_requests;
  size_t owners; /* this thread's environment and its jobs: what a paused job uses outlives signer_shut_down() */

  pthread_mutex_t mutex; /* for everything below */
  pthread_cond_t queued;
  pthread_cond_t done;
  struct request* first;
  struct request** last;
  bool stopping;
  size_t thread_count;
  pthread_t threads[SIGNER_MAX_THREADS];
};

static _Thread_local struct signer* current;

static void release_signer(struct signer* signer) {
  if (--signer->owners > 0) return;
  for (size_t i = 0; i < signer->request_count; ++i) free(signer->requests[i].message);
  free(signer->requests);
  EVP_PKEY_free(signer->key);
  pthread_cond_destroy(&signer->done);
  pthread_cond_destroy(&signer->queued);
  pthread_mutex_destroy(&signer->mutex);
  free(signer);
}

/* --- On the threads of the pool */

static void compute(EVP_PKEY* key, struct request* request) {
  EVP_MD_CTX* context = EVP_MD_CTX_new();
  size_t length = sizeof(request->signature);
  if (context != NULL && EVP_DigestSignInit(context, NULL, EVP_sha256(), NULL, key) == 1 &&
      EVP_DigestSign(context, request->signature, &length, request->message, request->message_length) == 1) {
    request->signature_length = length;
  } else {
    request->error = ERR_get_error(); /* this thread's queue: the job has another */
  }
  ERR_clear_error();
  EVP_MD_CTX_free(context);
}

/* Null when it is time to end. */
static struct request* next_request(struct signer* signer, bool* stopping) {
  struct request* request;
  pthread_mutex_lock(&signer->mutex);
  while (signer->first == NULL && !signer->stopping) pthread_cond_wait(&signer->queued, &signer->mutex);
  *stopping = signer->stopping;
  request = signer->first;
  if (request != NULL) {
    signer->first = request->next;
    if (signer->first == NULL) signer->last = &signer->first;
  }
  pthread_mutex_unlock(&signer->mutex);
  return request;
}

static void* run_thread(void* argument) {
  struct signer* signer = argument;
  struct request* request;
  bool stopping;
  while ((request = next_request(signer, &stopping)) != NULL) {
    /* Once the request is done, its job may end, and the request may be used for another. */
    ASYNC_callback_fn callback = request->callback;
    void* callback_argument = request->callback_argument;
    if (!stopping) compute(signer->key, request);
    pthread_mutex_lock(&signer->mutex);
    request->done = true;
    pthread_cond_broadcast(&signer->done);
    pthread_mutex_unlock(&signer->mutex);
    if (callback != NULL) callback(callback_argument);
  }
  return NULL;
}

/* --- On a job's stack */

static void enqueue(struct signer* signer, struct request* request) {
  request->next = NULL;
  pthread_mutex_lock(&signer->mutex);
  *signer->last = request;
  signer->last = &request->next;
  pthread_cond_signal(&signer->queued);
  pthread_mutex_unlock(&signer->mutex);
}

static bool is_done(struct signer* signer, struct request* request) {
  bool done;
  pthread_mutex_lock(&signer->mutex);
  done = request->done;
  pthread_mutex_unlock(&signer->mutex);
  return done;
}

static void wait_without_pause(struct signer* signer, struct request* request) {
  pthread_mutex_lock(&signer->mutex);
  while (!request->done) pthread_cond_wait(&signer->done, &signer->mutex);
  pthread_mutex_unlock(&signer->mutex);
}

static void sign_and_pause(struct signer* signer, struct request* request) {
  ASYNC_JOB* job = ASYNC_get_current_job();
  ASYNC_WAIT_CTX* wait_context = job == NULL ? NULL : ASYNC_get_wait_ctx(job);
  request->callback = NULL;
  if (wait_context != NULL &&
      ASYNC_WAIT_CTX_get_callback(wait_context, &request->callback, &request->callback_argument) == 1 &&
      request->callback != NULL) {
    ASYNC_WAIT_CTX_set_status(wait_context, ASYNC_STATUS_OK); /* there will be a callback: no need to try */
  }
  enqueue(signer, request);
  do { /* a resume is a hint: look */
    if (job == NULL || ASYNC_pause_job() != 1) wait_without_pause(signer, request);
  } while (!is_done(signer, request));
}

static struct request* find_request(struct signer* signer, uint32_t number) {
  if (signer == NULL || number >= signer->request_count) return NULL;
  return &signer->requests[number];
}

int signer_run_job(void* args) {
  struct signer* signer = current;
  struct request* request = args == NULL ? NULL : find_request(signer, *(const uint32_t*)args);
  int signed_it;
  if (request == NULL || request->phase != PREPARED) {
    ERR_raise_data(ERR_LIB_USER, ERR_R_PASSED_INVALID_ARGUMENT, "no such request was prepared");
    return 0;
  }
  ++signer->owners;
  request->phase = RUNNING;
  sign_and_pause(signer, request);
  request->phase = ENDED;
  signed_it = request->signature_length > 0;
  if (!signed_it) {
    const char* reason = request->error == 0 ? "the signer was shut down" : ERR_reason_error_string(request->error);
    ERR_raise_data(ERR_LIB_USER, ERR_R_OPERATION_FAIL, "not signed: %s", reason == NULL ? "unknown reason" : reason);
  }
  release_signer(signer);
  return signed_it;
}

/* --- On the thread that runs the jobs, between them */

static bool start_threads(struct signer* signer, size_t count) {
  for (size_t i = 0; i < count; ++i) {
    if (pthread_create(&signer->threads[i], NULL, run_thread, signer) != 0) return false;
    ++signer->thread_count;
  }
  return true;
}

static bool fail(const char* reason) {
  ERR_raise_data(ERR_LIB_USER, ERR_R_OPERATION_FAIL, "%s", reason);
  return false;
}

bool signer_set_up(EVP_PKEY* key, size_t threads, size_t max_requests) {
  struct signer* signer = NULL;
  if (current != NULL) {
    EVP_PKEY_free(key);
    return fail("there is a signer already");
  }
  if (EVP_PKEY_get_size(key) <= 0 || EVP_PKEY_get_size(key) > MAX_SIGNATURE_BYTES || threads < 1 ||
      threads > SIGNER_MAX_THREADS || max_requests < 1 || max_requests > SIGNER_MAX_REQUESTS ||
      (signer = calloc(1, sizeof(*signer))) == NULL) {
    EVP_PKEY_free(key);
    return fail("cannot make such a signer");
  }
  signer->owners = 1;
  signer->key = key;
  signer->last = &signer->first;
  pthread_mutex_init(&signer->mutex, NULL);
  pthread_cond_init(&signer->queued, NULL);
  pthread_cond_init(&signer->done, NULL);
  current = signer;
  signer->requests = calloc(max_requests, sizeof(struct request));
  if (signer->requests != NULL) signer->request_count = max_requests;
  for (size_t i = signer->request_count; i-- > 0;) {
    signer->requests[i].next = signer->free_requests;
    signer->free_requests = &signer->requests[i];
  }
  if (signer->requests != NULL && start_threads(signer, threads)) return true;
  signer_shut_down();
  return fail("cannot make the signer's threads or memory");
}

void signer_shut_down(void) {
  struct signer* signer = current;
  if (signer == NULL) return;
  current = NULL;
  pthread_mutex_lock(&signer->mutex);
  signer->stopping = true;
  pthread_cond_broadcast(&signer->queued);
  pthread_mutex_unlock(&signer->mutex);
  for (size_t i = 0; i < signer->thread_count; ++i) pthread_join(signer->threads[i], NULL);
  release_signer(signer);
}

bool signer_prepare(const void* message, size_t length, uint32_t* request) {
  struct signer* signer = current;
  struct request* room = signer == NULL ? NULL : signer->free_requests;
  unsigned char* copy = room == NULL ? NULL : malloc(length > 0 ? length : 1);
  if (copy == NULL) return false;
  if (length > 0) memcpy(copy, message, length);
  signer->free_requests = room->next;
  room->phase = PREPARED;
  room->done = false;
  room->message = copy;
  room->message_length = length;
  room->signature_length = 0;
  room->error = 0;
  *request = (uint32_t)(room - signer->requests);
  return true;
}

const unsigned char* signer_signature(uint32_t number, size_t* length) {
  struct signer* signer = current;
  struct request* request = find_request(signer, number);
  if (request == NULL || request->phase != ENDED || request->signature_length == 0) return NULL;
  *length = request->signature_length;
  return request->signature;
}

bool signer_release(uint32_t number) {
  struct signer* signer = current;
  struct request* request = find_request(signer, number);
  if (request == NULL || request->phase == FREE || request->phase == RUNNING) return false;
  free(request->message);
  request->message = NULL;
  request->phase = FREE;
  request->next = signer->free_requests;
  signer->free_requests = request;
  return true;
}
