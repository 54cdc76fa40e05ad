// Borrowed bytes (ByteView), and owned bytes that are wiped before they are freed (SecretBytes).
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <new>
#include <utility>

namespace openssl_async {

// Borrowed. Absent (null data) is not the same as empty.
struct ByteView {
  const unsigned char* data = nullptr;
  size_t size = 0;

  bool present() const { return data != nullptr; }
};

// Overwrites memory in a way that no compiler leaves out.
inline void Wipe(void* memory, size_t size) {
  if (size == 0) return;
  static void* (*const volatile fill)(void*, int, size_t) = &memset;
  fill(memory, 0, size);
}

// Owned; wiped by the destructor. Short ones need no allocation.
// NOLINTBEGIN(cppcoreguidelines-pro-type-member-init): only the first size_ inline bytes are read.
class SecretBytes {
 public:
  SecretBytes() = default;
  SecretBytes(SecretBytes&& other) noexcept { *this = std::move(other); }
  SecretBytes& operator=(SecretBytes&& other) noexcept {
    if (this == &other) return *this;
    Clear();
    if (other.heap_) {
      heap_ = std::move(other.heap_);
      capacity_ = std::exchange(other.capacity_, kInlineBytes);
      size_ = std::exchange(other.size_, 0);
    } else {
      size_ = other.size_;
      memcpy(inline_, other.inline_, size_);
      other.Clear();
    }
    return *this;
  }
  ~SecretBytes() { Clear(); }

  unsigned char* data() { return heap_ ? heap_.get() : inline_; }
  const unsigned char* data() const { return heap_ ? heap_.get() : inline_; }
  size_t size() const { return size_; }
  ByteView view() const { return {data(), size_}; }

  // Sets the size; the content is undefined afterwards. False when there is no memory.
  [[nodiscard]] bool Resize(size_t size) {
    if (size > capacity_) {
      Clear();
      heap_.reset(new (std::nothrow) unsigned char[size]);
      if (!heap_) return false;
      capacity_ = size;
    }
    size_ = size;
    return true;
  }
  // Keeps the first `size` bytes.
  void Truncate(size_t size) {
    Wipe(data() + size, size_ - size);
    size_ = size;
  }
  [[nodiscard]] bool Assign(ByteView bytes) {
    if (!Resize(bytes.size)) return false;
    if (bytes.size > 0) memcpy(data(), bytes.data, bytes.size);
    return true;
  }

  // Wipes and frees.
  void Clear() {
    Wipe(data(), heap_ ? capacity_ : size_);
    heap_.reset();
    capacity_ = kInlineBytes;
    size_ = 0;
  }
  // Hands over allocated memory, which the receiver wipes; null when the bytes are inline.
  std::unique_ptr<unsigned char[]> Release() {
    if (!heap_) return nullptr;
    capacity_ = kInlineBytes;
    size_ = 0;
    return std::move(heap_);
  }

 private:
  static constexpr size_t kInlineBytes = 192;

  std::unique_ptr<unsigned char[]> heap_;
  size_t capacity_ = kInlineBytes;
  size_t size_ = 0;
  unsigned char inline_[kInlineBytes];
};
// NOLINTEND(cppcoreguidelines-pro-type-member-init)

}  // namespace openssl_async
