// Requests to private keys that are held elsewhere, and their answers. One RemoteRequests for each environment.
//
// A request is made on a job's stack and pauses the job. It is handed over on the loop's thread, outside all jobs, and
// answered there. The request lives on the job's stack: a receiver copies it, and an answer to an ended request finds
// nobody. Where there are no jobs, a request is made on another thread, which sleeps until the answer.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <unordered_map>
#include <vector>

#include "base/bytes.h"
#include "openssl/own_errors.h"
#include "remote/contract.h"

namespace openssl_async {

// Borrows all that it points to.
struct RemoteQuestion {
  static constexpr int kNone = -1;

  RemoteOperation operation = RemoteOperation::kSign;
  ByteView bytes;                     // the data to sign, the ciphertext, or the peer's point
  const char* digest = nullptr;       // that made `bytes`, or OAEP's; null for none
  const char* mgf1_digest = nullptr;  // PSS, OAEP
  int padding = kNone;                // RSA
  int salt_length = kNone;            // PSS
  ByteView label;                     // OAEP
};

class RemoteRequests;

// Keeps a private key and answers for it. Shared by the key's copies.
struct RemoteHolder {
  std::shared_ptr<RemoteRequests> requests;
  uint32_t key = 0;         // its number in JavaScript
  uint32_t operations = 0;  // a bit for each RemoteOperation that it can be asked
  bool verifies = false;    // signatures are checked before they are used
  bool p1363 = false;       // ECDSA signatures come as r and s next to each other (IEEE P1363), not as DER
  // Answers at once, on the asking thread, in the place of JavaScript; null to ask that.
  std::function<bool(const RemoteQuestion& question, SecretBytes* answer)> answer_here;

  // Asks, in a job or on another thread, and returns with the answer. False when there is none, with the reason on the
  // thread's error queue.
  bool Ask(const RemoteQuestion& question, SecretBytes* answer) const;
};

class RemoteRequests {
 public:
  class Delegate {
   public:
    // A request can be taken. Called on a job's stack: note it and return.
    virtual void OnRemoteRequest() = 0;
    // As OnRemoteRequest(), on a thread that sleeps next: wake the loop and return.
    virtual void OnRemoteRequestElsewhere() {}
    // The number of the asking job or operation, for the receiver of the request. The thread is the asking one.
    virtual uint32_t RunningJob() const = 0;

   protected:
    ~Delegate() = default;
  };

  // A request as its receiver sees it; valid until JavaScript runs.
  struct Taken {
    uint64_t id;
    uint32_t key;
    uint32_t job;
    const RemoteQuestion* question;
  };

  // For the calling thread. `threads_may_ask`: other threads may sleep until they have their answer.
  explicit RemoteRequests(Delegate& delegate, bool threads_may_ask = false)
      : thread_(std::this_thread::get_id()), threads_may_ask_(threads_may_ask), delegate_(&delegate) {}
  RemoteRequests(const RemoteRequests&) = delete;
  RemoteRequests& operator=(const RemoteRequests&) = delete;

  // See RemoteHolder.
  bool Ask(const RemoteHolder& holder, const RemoteQuestion& question, SecretBytes* answer);

  // --- The loop's thread, outside jobs
  // The numbers of requests made since the last time, oldest first.
  std::vector<uint64_t> TakeNew() {
    const std::lock_guard<std::mutex> lock(mutex_);
    return std::exchange(new_, {});
  }
  // Nothing when the request has ended.
  std::optional<Taken> Look(uint64_t id) const;
  // Both end a request and have its job resumed. An ended request is unknown, which is no error.
  void Answer(uint64_t id, ByteView bytes);
  void Refuse(uint64_t id, OwnReason reason, const char* detail);
  // Fails all requests, later ones too.
  void Close();

  size_t size() const {
    const std::lock_guard<std::mutex> lock(mutex_);
    return requests_.size();
  }

 private:
  class Request;
  class PausedRequest;
  class SleepingRequest;

  bool AskInJob(const RemoteHolder& holder, const RemoteQuestion& question, SecretBytes* answer);
  bool AskOnThread(const RemoteHolder& holder, const RemoteQuestion& question, SecretBytes* answer);
  uint64_t Add(Request* request);
  Request* Remove(uint64_t id);

  const std::thread::id thread_;
  const bool threads_may_ask_;
  mutable std::mutex mutex_;  // guards the members after it, and sleeping requests
  Delegate* delegate_;        // null once closed
  uint64_t next_id_ = 0;
  std::unordered_map<uint64_t, Request*> requests_;
  std::vector<uint64_t> new_;
};

}  // namespace openssl_async
