#include <windows.h>
/* After windows.h. */
#include "useless_fds.h"

/* Handles are multiples of four, and low numbers come first. */
OSSL_ASYNC_FD closed_fd(void) {
  intptr_t number = 1 << 24;
  DWORD flags;
  while (GetHandleInformation((HANDLE)number, &flags)) number += 4;
  return (HANDLE)number;
}

/* An event object, by a handle that does not include the right to wait for it. */
bool useless_fd_open(struct useless_fd* useless) {
  useless->file = NULL;
  useless->fd = CreateEventExW(NULL, NULL, 0, EVENT_MODIFY_STATE);
  return useless->fd != NULL;
}

void useless_fd_close(struct useless_fd* useless) { CloseHandle(useless->fd); }
