#include "remote/holder_table.h"

#include <map>
#include <mutex>

namespace openssl_async {

namespace {

struct Table {
  static Table& Get() {
    static auto* const table = new Table();
    return *table;
  }

  std::mutex mutex;
  uint64_t next = 1;
  std::map<uint64_t, std::shared_ptr<const RemoteHolder>> holders;
};

}  // namespace

HolderTicket::HolderTicket(std::shared_ptr<const RemoteHolder> holder) {
  Table& table = Table::Get();
  const std::lock_guard<std::mutex> lock(table.mutex);
  number_ = table.next++;
  table.holders.emplace(number_, std::move(holder));
}

HolderTicket::~HolderTicket() {
  Table& table = Table::Get();
  const std::lock_guard<std::mutex> lock(table.mutex);
  table.holders.erase(number_);
}

std::shared_ptr<const RemoteHolder> HolderTicket::Find(uint64_t number) {
  Table& table = Table::Get();
  const std::lock_guard<std::mutex> lock(table.mutex);
  const auto found = table.holders.find(number);
  return found == table.holders.end() ? nullptr : found->second;
}

}  // namespace openssl_async
