// Connections on one loop of libuv, the event loop or a thread's: gives them turns when their sockets are ready.
#pragma once

#include <uv.h>

#include <cstdint>
#include <deque>
#include <memory>
#include <set>
#include <unordered_map>
#include <utility>
#include <vector>

#include "tls/connection.h"
#include "tls/listener.h"
#include "tls/poller.h"
#include "tls/turn_queue.h"

namespace openssl_async {

class Reactor final : private Poller::Delegate {
 public:
  class Owner {
   public:
    // Connections may come and go here. False: nothing can be told now, and the turn comes later.
    virtual bool BeforeTurn() = 0;
    virtual void AfterTurn(uint32_t id, Connection& connection) = 0;
    // Everything that was ready at once has had its turn.
    virtual void AfterTurns() = 0;
    virtual void OnAccepted(const std::shared_ptr<Listener>& listener, UniqueSocket socket) = 0;

   protected:
    ~Owner() = default;
  };

  // Unusable, and libuv's code in `error`, when the system refuses. All handles are unreferenced.
  Reactor(uv_loop_t* loop, OpenHandles& open, Owner& owner, int* error);
  ~Reactor();
  Reactor(const Reactor&) = delete;
  Reactor& operator=(const Reactor&) = delete;

  // --- Listeners
  // Accepts a listener's connections. 0, or libuv's code.
  int Watch(const std::shared_ptr<Listener>& listener);
  // Stops a listener that is watched here; on any thread where Poller::kForgetsAnywhere says so. Unwatch() follows.
  void Stop(Listener& listener);
  void Unwatch(uint32_t listener) { listeners_.erase(listener); }
  // A descriptor has come free.
  void ResumeAccepting();

  // --- Connections. An id stands for nothing once it was released.
  // 0 when there are as many as can be.
  uint32_t Reserve();
  void Put(uint32_t id, std::unique_ptr<Connection> connection);
  // The id stays reserved. Null when no connection is there.
  std::unique_ptr<Connection> Take(uint32_t id);
  void Release(uint32_t id);
  // Null when no connection is there.
  Connection* Find(uint32_t id) const;
  bool IsReserved(uint32_t id) const { return SlotOf(id) != nullptr; }
  // Its turn comes without anybody telling of it.
  bool IsQueued(uint32_t id) const {
    const Slot* const slot = SlotOf(id);
    return slot != nullptr && slot->is_queued;
  }
  // Call it after a function of the connection: its needs may have changed.
  void Update(uint32_t id);
  // Ends the connection that has waited longest for its client to speak. False when there is none among the oldest.
  bool DropOldestSilent();
  size_t size() const { return size_; }
  template <typename F>
  void ForEachId(F each) const {
    for (size_t number = 0; number < slots_.size(); ++number) {
      if (slots_[number].is_reserved) each(IdOf(number));
    }
  }

  // Has AfterTurns() called soon.
  void WakeSoon() { soon_->Wake(); }

  // The slot of an id: slots are used again, ids only after a long time.
  static constexpr uint32_t SlotNumber(uint32_t id) { return id & (kMostSlots - 1); }

 private:
  static constexpr uint32_t kSlotBits = 20;
  static constexpr uint32_t kMostSlots = 1U << kSlotBits;

  struct Slot {
    std::unique_ptr<Connection> connection;
    uint64_t deadline = 0;  // of the handshake; 0 when there is none
    uint32_t generation = 0;
    uint8_t interest = Interest::kNone;
    bool is_reserved = false;
    bool is_queued = false;
    bool is_waiting = false;  // see waiting_
  };
  struct Watched {
    std::shared_ptr<Listener> listener;
    bool is_active = false;
  };

  void OnReady(uint32_t token, uint8_t ready) override;
  void OnAllTold() override;
  void Accept(uint32_t id);
  void PauseAccepting();
  int SetActive(Watched& watched, bool is_active);
  void Run(uint32_t id, uint8_t ready);
  void RunQueued(const std::vector<uint32_t>& ids);
  void Update(Slot& slot, uint32_t id);
  void Queue(Slot& slot, uint32_t id);
  void SetDeadline(Slot& slot, uint32_t id, uint64_t deadline);
  void Wait(Slot& slot, uint32_t id);
  void LetWaitingIn();
  void SetTimer();
  void OnTimer();
  uint32_t IdOf(size_t number) const { return static_cast<uint32_t>(number) | slots_[number].generation << kSlotBits; }
  const Slot* SlotOf(uint32_t id) const;
  Slot* SlotOf(uint32_t id) { return const_cast<Slot*>(std::as_const(*this).SlotOf(id)); }

  Owner& owner_;
  uv_loop_t* loop_;
  std::vector<Slot> slots_;
  std::vector<uint32_t> free_slots_;
  std::set<std::pair<uint64_t, uint32_t>> deadlines_;
  // By listener: since when which connections have waited for room, see Connection::waits_for_room().
  std::unordered_map<uint32_t, std::deque<std::pair<uint64_t, uint32_t>>> waiting_;
  std::unordered_map<uint32_t, Watched> listeners_;
  size_t size_ = 0;
  uint64_t turn_began_ = 0;     // 0 outside a turn
  uint64_t accepts_again_ = 0;  // when a pause of accepting ends; 0 without one
  uint64_t timer_due_ = 0;      // 0 when it is not set
  std::unique_ptr<Poller> poller_;
  std::unique_ptr<TurnQueue> soon_;
  UvHandlePointer<uv_timer_t> timer_;
};

}  // namespace openssl_async
