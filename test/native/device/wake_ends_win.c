#include <errno.h>
#include <windows.h>
/* After windows.h. */
#include "wake_ends.h"

int wake_ends_open(struct wake_ends* ends, bool as_pipe) {
  (void)as_pipe;
  ends->read = ends->write = CreateEventW(NULL, TRUE, FALSE, NULL);
  return ends->read != NULL ? 0 : EMFILE;
}

void wake_ends_close(struct wake_ends* ends) { CloseHandle(ends->read); }

void wake_ends_signal(const struct wake_ends* ends) { SetEvent(ends->write); }

void wake_ends_drain(const struct wake_ends* ends) { ResetEvent(ends->read); }
