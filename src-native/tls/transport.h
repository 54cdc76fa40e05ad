// Ciphertext between a socket and OpenSSL: one read() and one write() for each turn of a connection.
#pragma once

#include <memory>
#include <string>

#include "base/bytes.h"
#include "tls/pointers.h"
#include "tls/socket.h"

namespace openssl_async {

// Memory that all connections of a thread use during their turns, and that holds nothing between them.
struct TransportBuffers {
  static constexpr size_t kInputBytes = 64 * 1024;
  std::unique_ptr<unsigned char[]> input = std::make_unique<unsigned char[]>(kInputBytes);
  std::string output;
};

class Transport {
 public:
  explicit Transport(UniqueSocket socket) : socket_(std::move(socket)) {}
  Transport(const Transport&) = delete;
  Transport& operator=(const Transport&) = delete;

  int fd() const { return socket_.get(); }
  // The buffers of the thread that has the next turns.
  void SetBuffers(TransportBuffers& buffers) { buffers_ = &buffers; }

  // One read(). 0, or libuv's code; UV_EAGAIN counts as 0. See ended().
  int Receive();
  // Bytes that come before those of the socket.
  void Prepend(ByteView bytes);
  // The peer sends no more; input() may hold bytes that came before.
  bool ended() const { return ended_; }
  // Other connections have their turns while OpenSSL works on this one, in a job: output stays in memory of its own.
  void SetAlone(bool alone) { is_alone_ = alone; }
  // What was received and not read by OpenSSL yet.
  ByteView input() const { return input_; }
  // At the end of a turn: keeps what is left of the input.
  void Settle();

  // One write() of what OpenSSL has written. 0, or libuv's code.
  int Flush();
  // Ciphertext waits for the socket to be writable.
  bool pending() const { return sent_ < pending_.size(); }
  // Tells the peer that nothing follows. OpenSSL's later output is dropped: it may still answer the peer's messages.
  void EndOutput();

  // Null without memory. The transport outlives it.
  BioPointer NewBio();

 private:
  static int Read(BIO* bio, char* buffer, int size);
  static int Write(BIO* bio, const char* data, int size);
  static long Control(BIO* bio, int command, long number, void* pointer);
  static const BIO_METHOD* Method();
  std::string& output() { return pending() || is_alone_ ? pending_ : buffers_->output; }

  UniqueSocket socket_;
  TransportBuffers* buffers_ = nullptr;
  ByteView input_;       // in the thread's buffer during a turn; otherwise in kept_
  std::string kept_;     // input from earlier turns
  std::string pending_;  // output, of which `sent_` bytes have left
  size_t sent_ = 0;
  bool ended_ = false;
  bool is_alone_ = false;
  bool output_ended_ = false;
};

}  // namespace openssl_async
