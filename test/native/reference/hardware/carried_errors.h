/* OpenSSL's error queue belongs to a thread: errors of the device's thread are carried over to the caller's. */
#ifndef TEST_REFERENCE_CARRIED_ERRORS_H_
#define TEST_REFERENCE_CARRIED_ERRORS_H_

#include <stddef.h>

enum { CARRIED_ERRORS = 4 };

struct carried_errors {
  size_t count;
  struct {
    unsigned long code;
    /* Copies: emptying the queue frees its own. Any may be null. */
    char* file;
    int line;
    char* function;
    char* data;
  } errors[CARRIED_ERRORS];
};

/* Empties this thread's queue. When the errors are too many, the first ones are kept. */
void carried_errors_take(struct carried_errors* carried);

/* Adds them to this thread's queue, and frees what they own. */
void carried_errors_raise(struct carried_errors* carried);

#endif
