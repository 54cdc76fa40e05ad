// Remote keys: JavaScript is told of their requests, and answers.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <utility>

#include "binding/attachment.h"
#include "binding/remote_inbox.h"
#include "remote/remote_requests.h"
#include "scheduler/scheduler.h"
#include "wakeup/completion_queue.h"

namespace openssl_async {

class Environment;

class RemoteKeys final : public Attachment,
                         private DeliveryTarget,
                         private CompletionQueue::Receiver,
                         private RemoteRequests::Delegate {
 public:
  explicit RemoteKeys(Environment& environment);
  RemoteKeys(const RemoteKeys&) = delete;
  RemoteKeys& operator=(const RemoteKeys&) = delete;

  const std::shared_ptr<RemoteRequests>& requests() const { return requests_; }
  void SetInbox(std::unique_ptr<RemoteInbox> inbox) { inbox_ = std::move(inbox); }
  RemoteInbox& inbox() const { return *inbox_; }

  // Before the first key: where there are no jobs, other threads wake the loop. Without effect afterwards.
  Result<void> Open();

  // Nobody is left to answer: all requests fail, later ones too.
  void Drain() override { requests_->Close(); }
  void Close(std::function<void()> done) override;

 private:
  void OnRemoteRequest() override;
  void OnRemoteRequestElsewhere() override;
  uint32_t RunningJob() const override;
  void OnDelivery() override;
  void OnCompletions() override;

  Environment& environment_;
  std::shared_ptr<RemoteRequests> requests_;
  std::unique_ptr<RemoteInbox> inbox_;  // null before there is a remote key
  std::unique_ptr<OpenHandles> open_ = std::make_unique<OpenHandles>();
  std::shared_ptr<CompletionQueue> calls_;  // of other threads; null with jobs
  CompletionQueue::Entry call_;
  std::atomic<bool> called_{false};  // call_ is in the queue
};

}  // namespace openssl_async
