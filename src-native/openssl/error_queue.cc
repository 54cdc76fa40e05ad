#include "openssl/error_queue.h"

#include "openssl/own_errors.h"
#include "openssl/version.h"

namespace openssl_async {

namespace {

// The part of OpenSSL 3's public ERR_STATE that we read. All versions of OpenSSL 3 share this layout; it is checked
// before it is trusted.
struct ErrState {
  static constexpr int kEntries = 16;
  int flags[kEntries];
  int marks[kEntries];
  unsigned long buffer[kEntries];
  char* data[kEntries];
  size_t data_size[kEntries];
  int data_flags[kEntries];
  char* file[kEntries];
  int line[kEntries];
  char* function[kEntries];
  int top;
  int bottom;
};

const ErrState* StateOfThisThread() {
  const auto get_state = GetOptionalSymbols().err_get_state;
  return get_state == nullptr ? nullptr : static_cast<const ErrState*>(get_state());
}

// Adds an error, checks that the state changes as expected, and takes the error off.
bool LayoutIsAsExpected() {
  const ErrState* state = StateOfThisThread();
  if (state == nullptr || state->top != state->bottom || state->top < 0 || state->top >= ErrState::kEntries) {
    return false;
  }
  const int before = state->top;
  ERR_new();
  ERR_set_debug("", 0, "");
  ERR_set_error(ERR_LIB_USER, 1, nullptr);
  const int after = (before + 1) % ErrState::kEntries;
  const bool grew = state->top == after && state->bottom == before && state->buffer[after] == ERR_peek_error();
  ERR_get_error();
  return grew && state->top == state->bottom;
}

}  // namespace

PendingErrors PendingErrors::OfThisThread() {
  static const bool trusted = LayoutIsAsExpected();
  PendingErrors pending;
  if (!trusted) return pending;
  const ErrState* state = StateOfThisThread();
  if (state == nullptr) return pending;
  pending.top_ = &state->top;
  pending.bottom_ = &state->bottom;
  return pending;
}

void ErrorQueue::TakeAll() {
  // Marks sit on entries and are counted from the newest. Marks are read first, newest to oldest; then the entries are
  // taken off, oldest to newest.
  std::vector<int> marks_from_newest;
  if (const auto count_to_mark = GetOptionalSymbols().err_count_to_mark; count_to_mark != nullptr) {
    for (;;) {
      const int above = count_to_mark();
      if (ERR_clear_last_mark() == 0) break;
      marks_from_newest.push_back(above);
    }
  }
  const char* file = nullptr;
  const char* function = nullptr;
  const char* data = nullptr;
  int line = 0;
  int flags = 0;
  while (const unsigned long code = ERR_get_error_all(&file, &line, &function, &data, &flags)) {
    const bool has_text = data != nullptr && (flags & ERR_TXT_STRING) != 0;
    entries_.push_back(
        {code, line, 0, file == nullptr ? "" : file, function == nullptr ? "" : function, has_text ? data : ""});
  }
  for (const int above : marks_from_newest) {
    const size_t newest = entries_.size();
    if (above >= 0 && static_cast<size_t>(above) < newest) ++entries_[newest - 1 - static_cast<size_t>(above)].marks;
  }
}

void ErrorQueue::RestoreAll() {
  for (const Entry& entry : entries_) {
    ERR_new();
    ERR_set_debug(entry.file.c_str(), entry.line, entry.function.c_str());
    const int library = ERR_GET_LIB(entry.code);
    const int reason = ERR_GET_REASON(entry.code);
    if (entry.data.empty()) {
      ERR_set_error(library, reason, nullptr);
    } else {
      ERR_set_error(library, reason, "%s", entry.data.c_str());
    }
    for (int mark = 0; mark < entry.marks; ++mark) ERR_set_mark();
  }
  entries_.clear();
  entries_.shrink_to_fit();
}

std::vector<std::string> ErrorQueue::Lines() const {
  std::vector<std::string> lines;
  for (const Entry& entry : entries_) {
    char text[256];
    ERR_error_string_n(entry.code, text, sizeof(text));
    lines.emplace_back(text);
    if (!entry.data.empty()) lines.back() += ":" + entry.data;
  }
  return lines;
}

Error ErrorQueue::ToError(const char* code, const char* message) const {
  for (const Entry& entry : entries_) {
    if (ERR_GET_LIB(entry.code) != OwnErrorLibrary()) continue;
    const int reason = ERR_GET_REASON(entry.code);
    if (const char* own_code = CodeOfOwn(reason); own_code != nullptr) {
      return Error{own_code, entry.data.empty() ? TextOfOwn(reason) : entry.data, Lines()};
    }
  }
  return Error{code, message, Lines()};
}

}  // namespace openssl_async
