// Text that is wiped where it was: PEM of private keys, passphrases.
#pragma once

#include <string>
#include <utility>

#include "base/bytes.h"

namespace openssl_async {

class SecretText {
 public:
  SecretText() = default;
  explicit SecretText(std::string&& text) : text_(std::move(text)) { WipeText(text); }
  SecretText(SecretText&& other) noexcept : text_(std::move(other.text_)) { WipeText(other.text_); }
  SecretText& operator=(SecretText&& other) noexcept {
    WipeText(text_);
    text_ = std::move(other.text_);
    WipeText(other.text_);
    return *this;
  }
  ~SecretText() { WipeText(text_); }
  SecretText(const SecretText&) = delete;
  SecretText& operator=(const SecretText&) = delete;

  const std::string& get() const { return text_; }

 private:
  // A short text stands in the string itself, and stays there when it is moved.
  static void WipeText(std::string& text) {
    text.resize(text.capacity());
    Wipe(text.data(), text.size());
    text.clear();
  }

  std::string text_;
};

}  // namespace openssl_async
