// OpenSSL's error queue belongs to the thread, not to the job. These helpers give each job a queue of its own.
#pragma once

#include <openssl/err.h>

#include <string>
#include <vector>

#include "base/result.h"

namespace openssl_async {

// Errors that were taken off the thread's queue. Empty, it owns no memory.
class ErrorQueue {
 public:
  // Takes everything off this thread's queue. The queue is usually empty, and then costs one ERR_peek_error().
  static ErrorQueue Take() {
    ErrorQueue queue;
    if (ERR_peek_error() != 0) queue.TakeAll();
    return queue;
  }

  // Puts the entries back onto this thread's queue, in order, and forgets them. Marks survive on OpenSSL >= 3.2.
  void Restore() {
    if (!entries_.empty()) RestoreAll();
  }

  bool empty() const { return entries_.empty(); }

  // One line each, oldest first, as ERR_error_string(3) writes them, with the error's data appended.
  std::vector<std::string> Lines() const;

  // The error for JavaScript, with all lines. The first error of our own (own_errors.h) gives code and message; without
  // one, `code` and `message` do.
  Error ToError(const char* code, const char* message) const;

 private:
  struct Entry {
    unsigned long code;
    int line;
    int marks;
    std::string file;
    std::string function;
    std::string data;
  };

  void TakeAll();
  void RestoreAll();

  std::vector<Entry> entries_;
};

// Tells whether this thread's queue holds anything. OpenSSL takes 20 ns to find the queue, a good part of a job switch;
// so its address is remembered. Valid on the thread that made it, until that thread ends.
class PendingErrors {
 public:
  // Asks OpenSSL each time.
  PendingErrors() = default;
  // Remembers the queue's address, if the running OpenSSL has the expected layout. Call it with an empty queue.
  static PendingErrors OfThisThread();

  bool any() const { return top_ == nullptr ? ERR_peek_error() != 0 : *top_ != *bottom_; }

 private:
  const volatile int* top_ = nullptr;
  const volatile int* bottom_ = nullptr;
};

// Gives this thread an empty error queue. The destructor drops the errors added meanwhile and restores the earlier
// ones. Node's own crypto and we therefore never see each other's errors.
class ErrorQueueScope {
 public:
  ErrorQueueScope() : outer_(ErrorQueue::Take()) {}
  ~ErrorQueueScope() {
    if (ERR_peek_error() != 0) ERR_clear_error();
    outer_.Restore();
  }
  ErrorQueueScope(const ErrorQueueScope&) = delete;
  ErrorQueueScope& operator=(const ErrorQueueScope&) = delete;

 private:
  ErrorQueue outer_;
};

}  // namespace openssl_async
