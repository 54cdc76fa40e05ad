/*
 * The job functions that the addon hands out. Each runs on a job's stack, and returns -1 for arguments that it does not
 * understand. Integers in arguments are 32 bits wide unless it says otherwise.
 */
#ifndef TEST_DEVICE_FUNCTIONS_H_
#define TEST_DEVICE_FUNCTIONS_H_

#ifdef __cplusplus
extern "C" {
#endif

/* args: struct device_request. Does as request.h says; -1 for an unknown mode or a count out of range. */
int run_device_request(void* args);

/* Returns 1. */
int run_empty(void* args);

/* args: an integer, which is returned. */
int return_argument(void* args);

/* args: 64 bits of length, then as many bytes. A checksum of them: h = 31 h + byte, modulo 2^31. */
int count_bytes(void* args);

/* Whether there is an argument, of whatever length: 1 or 0. */
int has_argument(void* args);

/* Pauses once, offers nothing to wait for, and is content with any resume. Returns 1. */
int pause_once(void* args);

/* Pauses once, woken beforehand on the same thread: by the callback where one is set, else by an fd. Returns 1. */
int wake_itself(void* args);

/* Returns 1 when the current job and its wait context, as OpenSSL tells them, stay the same over a pause (woken as
 * above). */
int inspect_job(void* args);

/* args: how often to call ASYNC_block_pause() (none: once), without undoing it. Returns 1. */
int leave_blocked(void* args);

/* Pauses once, woken as above. Returns 0 if the pause happened, 1 if it was blocked. */
int was_blocked(void* args);

/* args: a tag and a number of pauses (woken as above). Returns 1 when between them its error queue held its own errors
 * only, in order, and errno stayed what it was; else 0. Leaves the queue empty. */
int raise_errors(void* args);

/* args: how many bytes of stack to use (none: 1 MiB), from the top down, leaving none out. Returns 1. */
int overflow_stack(void* args);

/* args: how often to pause (none: once). Each pause sets a wait fd that can never be polled, takes any resume, clears
 * the fd and returns 1. */
int wait_on_closed_fd(void* args);
int wait_on_regular_file(void* args);

/* args: milliseconds. Returns 1 at once; that much later another thread calls the wait context's callback, although the
 * job has ended. 0 when there is no callback. */
int call_back_late(void* args);

/* args: the exception to throw: 0 (or none) a std::runtime_error, 1 an int, 2 a std::runtime_error after a pause. */
int throw_exception(void* args);

#ifdef __cplusplus
}
#endif

#endif
