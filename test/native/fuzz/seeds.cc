// Writes the inputs that the fuzzer begins with:  seeds client_hello FOLDER, or seeds connection FOLDER
#include <cstdio>
#include <cstring>
#include <fstream>
#include <initializer_list>
#include <string>

#include "determinism.h"
#include "server.h"
#include "steps.h"
#include "tls_client.h"

namespace openssl_async::fuzz {

namespace {

class Folder {
 public:
  explicit Folder(const char* path) : path_(path) {}

  void Add(const std::string& bytes) {
    std::ofstream(path_ + "/seed-" + std::to_string(++count_), std::ios::binary) << bytes;
  }

 private:
  const std::string path_;
  int count_ = 0;
};

// --- Hellos of libssl's client

std::string InRecords(const std::string& hello, size_t size) {
  constexpr size_t kHead = 5;
  std::string records;
  for (size_t at = kHead; at < hello.size(); at += size) {
    const std::string content = hello.substr(at, size);
    records += hello.substr(0, 3);
    records += static_cast<char>(content.size() >> 8);
    records += static_cast<char>(content.size());
    records += content;
  }
  return records;
}

// A hello that offers so many protocols that it is longer than kMaxHelloBytes in records of one byte.
std::string LongHello() {
  constexpr int kProtocols = 50;
  const std::string protocol = '\xff' + std::string(0xff, 'p');
  std::string protocols;
  for (int i = 0; i < kProtocols; ++i) protocols += protocol;
  TlsClient client(ClientOption::kName, nullptr);
  SSL_set_alpn_protos(client.ssl(), reinterpret_cast<const unsigned char*>(protocols.data()),
                      static_cast<unsigned>(protocols.size()));
  client.Advance();
  return client.TakeOutput();
}

void AddHellos(Folder folder) {
  folder.Add(LongHello());
  folder.Add(InRecords(LongHello(), 1));
  for (const unsigned options : {0, 1, 2, 4, 5, 6, 8, 12, 13, 14, 44, 45}) {
    TlsClient client(static_cast<uint8_t>(options), nullptr);
    client.Advance();
    const std::string hello = client.TakeOutput();
    folder.Add(hello);
    folder.Add(InRecords(hello, 50));
    folder.Add(InRecords(hello, 1));
  }
}

// --- Scripts

using Script = std::initializer_list<unsigned>;

constexpr unsigned Code(Step step) { return static_cast<unsigned>(step); }

std::string Text(Script bytes) {
  std::string text;
  for (const unsigned byte : bytes) text += static_cast<char>(byte);
  return text;
}

constexpr unsigned kExchange = Code(Step::kExchange);
constexpr unsigned kRunAll = Code(Step::kRunAll);
constexpr unsigned kDeliver = Code(Step::kDeliver);

const Script kScripts[] = {
    {},
    {kExchange},
    {Code(Step::kClientAdvances), Code(Step::kPrepend), kRunAll, kExchange},
    {Code(Step::kClientAdvances), Code(Step::kDeliverBytes), 0, 7, kRunAll, kDeliver, kRunAll, kExchange},
    {Code(Step::kClientAdvances), Code(Step::kSplit), 0, 0, 3, kDeliver, kRunAll, kExchange},
    {Code(Step::kClientAdvances), Code(Step::kFlip), 0, 0, 20, 1, kDeliver, kRunAll, kExchange},
    {Code(Step::kClientAdvances), Code(Step::kTruncate), 0, 0, 90, 1, kDeliver, kRunAll, kExchange},
    {Code(Step::kClientAdvances), kDeliver, Code(Step::kRun), 1, Code(Step::kAnswer), 1, kRunAll, kExchange},
    {Code(Step::kClientAdvances), kDeliver, Code(Step::kRun), 1, Code(Step::kAnswer), 6, kRunAll, kExchange},
    {Code(Step::kClientAdvances), kDeliver, kRunAll, Code(Step::kTimeOut), Code(Step::kRunMore), 2},
    {Code(Step::kClientAdvances), kDeliver, kRunAll, Code(Step::kHalfClose), kRunAll},
    {kExchange, Code(Step::kClientWrites), 1, 0, kDeliver, Code(Step::kRun), 1, Code(Step::kServerWrites), 1, 0,
     kExchange},
    {kExchange, Code(Step::kClientWrites), 255, 0, kDeliver, Code(Step::kRun), 1, Code(Step::kRunMore), 9, kExchange},
    {kExchange,
     Code(Step::kServerWrites),
     255,
     0,
     Code(Step::kServerWrites),
     255,
     0,
     Code(Step::kServerWrites),
     255,
     0,
     Code(Step::kServerWrites),
     255,
     0,
     Code(Step::kClientReads),
     99,
     0,
     Code(Step::kRun),
     2,
     Code(Step::kClose),
     Code(Step::kRun),
     3},
    {kExchange, Code(Step::kServerWrites), 9, 0, Code(Step::kServerEnds), kRunAll, Code(Step::kClientWrites), 0, 9,
     kExchange},
    {kExchange, Code(Step::kClientWrites), 0, 9, Code(Step::kClientEnds), kDeliver, Code(Step::kRun), 1, kRunAll,
     Code(Step::kServerWrites), 0, 9, Code(Step::kServerEnds), kExchange},
    {kExchange, Code(Step::kPause), Code(Step::kClientWrites), 0, 9, kDeliver, kRunAll, Code(Step::kResume), kExchange},
    {kExchange, Code(Step::kClientRenews), 1, kExchange, Code(Step::kClientWrites), 0, 9, kExchange},
    {kExchange, Code(Step::kClientWrites), 0, 9, Code(Step::kClientRenews), 0, Code(Step::kClientWrites), 0, 9,
     Code(Step::kClientRenews), 0, kExchange},
    {kExchange, Code(Step::kMeetAgain), kExchange, Code(Step::kClientWrites), 0, 9, kExchange},
    {kExchange, Code(Step::kClientWrites), 0, 9, Code(Step::kClientWrites), 0, 9, Code(Step::kSwap), 0, 1, kDeliver,
     kRunAll, Code(Step::kRunMore), 2},
    {kExchange, Code(Step::kClientWrites), 0, 9, Code(Step::kDuplicate), 0, kDeliver, kRunAll},
    {kExchange, Code(Step::kClientWrites), 0, 9, Code(Step::kClientWrites), 0, 9, Code(Step::kDrop), 0, kDeliver,
     kRunAll},
    {kExchange, Code(Step::kPause), Code(Step::kClientWrites), 255, 0, Code(Step::kClientWrites), 255, 0, kDeliver,
     kDeliver, kRunAll, Code(Step::kResume), Code(Step::kRun), 0, kDeliver, kExchange},
    {kExchange, Code(Step::kServerWrites), 255, 0, Code(Step::kClientReads), 9, 0, Code(Step::kServerWrites), 9, 0,
     Code(Step::kTellCarried), kRunAll, Code(Step::kServerEnds), Code(Step::kTellCarried), kExchange},
    {kExchange, Code(Step::kInsert), 0, 7, 21, 3, 3, 0, 2, 1, 0, kDeliver, kRunAll, Code(Step::kClose), kRunAll},
};

void AddScripts(Folder folder) {
  constexpr unsigned kEverything = ClientOption::kName | ClientOption::kProtocols | ClientOption::kCertificate;
  const unsigned sides[][2] = {
      {ClientOption::kOnlyTls13 | kEverything, 0x71},
      {ClientOption::kOnlyTls12 | kEverything, 0x3f},
      {ClientOption::kOnlyTls13, 0x04},
      {ClientOption::kOnlyTls12 | ClientOption::kNoTickets, 0x02},
      {kEverything | ClientOption::kOtherName, 0x3e},
      {ClientOption::kOnlyTls13 | kEverything, ServerOption::kMemory | 0x31},
      {ClientOption::kOnlyTls12 | kEverything, ServerOption::kMemory | 0x3e},
  };
  for (const auto& [client, server] : sides) {
    for (const Script& script : kScripts) folder.Add(Text({client, server}) + Text(script));
  }
}

}  // namespace

}  // namespace openssl_async::fuzz

int main(int count, char** arguments) {
  using namespace openssl_async::fuzz;
  if (count != 3) return 2;
  SeedRandomness();
  if (strcmp(arguments[1], "connection") == 0) {
    AddScripts(Folder(arguments[2]));
  } else {
    AddHellos(Folder(arguments[2]));
  }
  return 0;
}
