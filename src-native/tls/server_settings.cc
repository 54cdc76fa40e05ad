#include "tls/server_settings.h"

#include "tls/connection.h"

namespace openssl_async {

namespace {

char Lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

}  // namespace

// Goes back to the last `*` at most, so the time is bounded by the product of both lengths.
bool MatchesName(const std::string& pattern, const std::string& name) {
  size_t in_pattern = 0;
  size_t in_name = 0;
  size_t star = std::string::npos;
  size_t taken = 0;  // where the last star's characters end
  while (in_name < name.size()) {
    if (in_pattern < pattern.size() && pattern[in_pattern] == '*') {
      star = in_pattern++;
      taken = in_name;
    } else if (in_pattern < pattern.size() && Lower(pattern[in_pattern]) == Lower(name[in_name])) {
      ++in_pattern;
      ++in_name;
    } else if (star != std::string::npos && name[taken] != '.') {
      in_pattern = star + 1;
      in_name = ++taken;
    } else {
      return false;
    }
  }
  while (in_pattern < pattern.size() && pattern[in_pattern] == '*') ++in_pattern;
  return in_pattern == pattern.size();
}

void ServerSettings::LogKeys() const {
  SSL_CTX_set_keylog_callback(context->get(), &Connection::LogKey);
  for (const NamedContext& named : names) SSL_CTX_set_keylog_callback(named.context->get(), &Connection::LogKey);
}

const std::shared_ptr<TlsContext>& ServerSettings::Find(const std::string& server_name) const {
  if (!server_name.empty()) {
    for (auto named = names.rbegin(); named != names.rend(); ++named) {
      if (MatchesName(named->pattern, server_name)) return named->context;
    }
  }
  return context;
}

}  // namespace openssl_async
