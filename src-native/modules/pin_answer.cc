#include "modules/pin_answer.h"

namespace openssl_async {

void PinAnswer::Set(ByteView pin) {
  const std::lock_guard<std::mutex> lock(mutex_);
  is_there_ = pin.present() && pin_.Assign(pin);
}

void PinAnswer::Clear() {
  const std::lock_guard<std::mutex> lock(mutex_);
  pin_.Clear();
  is_there_ = false;
}

UI_METHOD* PinAnswer::Method() {
  static UI_METHOD* const method = [] {
    UI_METHOD* made = UI_create_method("openssl-async engine");
    if (made != nullptr) UI_method_set_reader(made, &Read);
    return made;
  }();
  return method;
}

int PinAnswer::Read(UI* ui, UI_STRING* string) {
  const UI_string_types type = UI_get_string_type(string);
  if (type != UIT_PROMPT && type != UIT_VERIFY) return 1;
  auto* self = static_cast<PinAnswer*>(UI_get0_user_data(ui));
  return self == nullptr ? 0 : self->Answer(ui, string);
}

int PinAnswer::Answer(UI* ui, UI_STRING* string) {
  const std::lock_guard<std::mutex> lock(mutex_);
  if (!is_there_) return 0;
  is_there_ = false;
  const auto* text = reinterpret_cast<const char*>(pin_.data());
  return UI_set_result_ex(ui, string, text, static_cast<int>(pin_.size())) == 0 ? 1 : 0;
}

}  // namespace openssl_async
