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
  // Takes everything off this thread's queue. Costs one look when there is nothing, which is the rule.
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

  // What failed, with all lines: as the first error of our own says (see own_errors.h), else with this code and
  // message.
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

// Tells whether this thread's queue holds anything, without the 20 ns that OpenSSL takes to find the queue: a look
// after every job switch is a good part of what a switch costs. Valid on its thread while that thread does not end.
class PendingErrors {
 public:
  // Asks OpenSSL each time.
  PendingErrors() = default;
  // Remembers where the queue is, if the running OpenSSL is found to lay it out as its headers say. Call it with an
  // empty queue.
  static PendingErrors OfThisThread();

  bool any() const { return top_ == nullptr ? ERR_peek_error() != 0 : *top_ != *bottom_; }

 private:
  const volatile int* top_ = nullptr;
  const volatile int* bottom_ = nullptr;
};

// For the time of its life this thread's queue is empty to whoever looks; then what was there before comes back, and
// what was added meanwhile is gone. Node's own crypto therefore never sees our errors, nor we Node's.
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
