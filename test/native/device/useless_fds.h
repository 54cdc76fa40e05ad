/* Wait fds that are of no use, as each system has them. */
#ifndef TEST_DEVICE_USELESS_FDS_H_
#define TEST_DEVICE_USELESS_FDS_H_

#include <openssl/async.h>
#include <stdbool.h>

/* An fd that was never open and will not be soon. */
OSSL_ASYNC_FD closed_fd(void);

/* An open fd that nobody can wait for. */
struct useless_fd {
  OSSL_ASYNC_FD fd;
  void* file;
};

bool useless_fd_open(struct useless_fd* useless);
void useless_fd_close(struct useless_fd* useless);

#endif
