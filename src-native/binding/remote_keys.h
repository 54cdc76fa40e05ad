// Remote keys: JavaScript is told of their requests, and answers.
#pragma once

#include <cstdint>
#include <memory>
#include <utility>

#include "binding/attachment.h"
#include "binding/remote_inbox.h"
#include "remote/remote_requests.h"
#include "scheduler/scheduler.h"

namespace openssl_async {

class Environment;

class RemoteKeys final : public Attachment, private DeliveryTarget, private RemoteRequests::Delegate {
 public:
  explicit RemoteKeys(Environment& environment);
  RemoteKeys(const RemoteKeys&) = delete;
  RemoteKeys& operator=(const RemoteKeys&) = delete;

  const std::shared_ptr<RemoteRequests>& requests() const { return requests_; }
  void SetInbox(std::unique_ptr<RemoteInbox> inbox) { inbox_ = std::move(inbox); }
  RemoteInbox& inbox() const { return *inbox_; }

  // Nobody is left to answer: all requests fail, later ones too.
  void Drain() override { requests_->Close(); }

 private:
  void OnRemoteRequest() override;
  uint32_t RunningJob() const override;
  void OnDelivery() override;

  Environment& environment_;
  std::shared_ptr<RemoteRequests> requests_;
  std::unique_ptr<RemoteInbox> inbox_;  // null before there is a remote key
};

}  // namespace openssl_async
