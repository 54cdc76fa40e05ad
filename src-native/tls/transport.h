// Ciphertext between OpenSSL and the peer. Who carries it is a matter of the kind: SocketTransport, MemoryTransport.
#pragma once

#include <memory>
#include <string>

#include "base/bytes.h"
#include "tls/pointers.h"

namespace openssl_async {

class MemoryTransport;

// Memory that all connections of a thread use during their turns, and that holds nothing between them.
struct TransportBuffers {
  static constexpr size_t kInputBytes = 64 * 1024;
  std::unique_ptr<unsigned char[]> input = std::make_unique<unsigned char[]>(kInputBytes);
  std::string output;
};

class Transport {
 public:
  virtual ~Transport() = default;
  Transport(const Transport&) = delete;
  Transport& operator=(const Transport&) = delete;

  // -1 without a socket.
  virtual int fd() const { return -1; }
  // Null for another kind.
  virtual MemoryTransport* memory() { return nullptr; }
  // The buffers of the thread that has the next turns.
  void SetBuffers(TransportBuffers& buffers) { buffers_ = &buffers; }

  // Takes what has come. 0, or libuv's code; UV_EAGAIN counts as 0. See ended().
  virtual int Receive() = 0;
  // Bytes that come before those of the peer.
  void Prepend(ByteView bytes);
  // The peer sends no more; input() may hold bytes that came before.
  bool ended() const { return ended_; }
  // Other connections have their turns while OpenSSL works on this one, in a job: output stays in memory of its own.
  void SetAlone(bool alone) { is_alone_ = alone; }
  // What was received and not read by OpenSSL yet.
  ByteView input() const { return input_; }
  // At the end of a turn: keeps what is left of the input.
  void Settle();

  // Sends bytes that are not OpenSSL's, with the next Flush().
  void Send(ByteView bytes);
  // How much plaintext to encrypt before Flush(), of so many bytes.
  virtual size_t PortionOf(size_t rest) const = 0;
  // Sends what OpenSSL has written. 0, or libuv's code.
  virtual int Flush() = 0;
  // What OpenSSL has written stays for a later Flush().
  virtual void KeepOutput() = 0;
  // Ciphertext waits to leave.
  virtual bool pending() const = 0;
  // Tells the peer that nothing follows. OpenSSL's later output is dropped: it may still answer the peer's messages.
  void EndOutput();
  // The peer gets and sends nothing from here on.
  virtual void Cut() = 0;

  // Null without memory. The transport outlives it.
  BioPointer NewBio();

 protected:
  Transport() = default;

  // Input that comes after the one that is there. `bytes` stay the caller's until Settle().
  void Append(ByteView bytes);
  void SetEnded() { ended_ = true; }
  void DropInput() { input_ = {}; }
  TransportBuffers& buffers() { return *buffers_; }
  bool alone() const { return is_alone_; }
  // Where OpenSSL's output goes.
  virtual std::string& output() = 0;
  virtual void TellEnd() = 0;

 private:
  static int Read(BIO* bio, char* buffer, int size);
  static int Write(BIO* bio, const char* data, int size);
  static long Control(BIO* bio, int command, long number, void* pointer);
  static const BIO_METHOD* Method();

  TransportBuffers* buffers_ = nullptr;
  ByteView input_;    // in memory of others during a turn; otherwise in kept_
  std::string kept_;  // input from earlier turns
  bool ended_ = false;
  bool is_alone_ = false;
  bool output_ended_ = false;
};

}  // namespace openssl_async
