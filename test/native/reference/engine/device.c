#include <openssl/err.h>
#include <pthread.h>

#include "engine.h"

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static unsigned engines;
static struct hardware* hardware;

bool device_attach(void) {
  bool attached;
  pthread_mutex_lock(&mutex);
  if (hardware == NULL) hardware = hardware_new();
  attached = hardware != NULL;
  if (attached) ++engines;
  pthread_mutex_unlock(&mutex);
  return attached;
}

void device_detach(void) {
  struct hardware* unused = NULL;
  pthread_mutex_lock(&mutex);
  if (--engines == 0) {
    unused = hardware;
    hardware = NULL;
  }
  pthread_mutex_unlock(&mutex);
  hardware_free(unused); /* joins threads, which take no part in this */
}

struct hardware* device(void) {
  struct hardware* found;
  pthread_mutex_lock(&mutex);
  found = hardware;
  pthread_mutex_unlock(&mutex);
  if (found == NULL) ERR_raise_data(ERR_LIB_USER, ERR_R_INIT_FAIL, "the reference engine is gone");
  return found;
}
