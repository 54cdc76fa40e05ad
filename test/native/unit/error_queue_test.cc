#include "openssl/error_queue.h"

#include <openssl/err.h>

#include <cerrno>
#include <string>

#include "support.h"

namespace openssl_async::testing {

namespace {

struct Raised {
  unsigned long code = 0;
  std::string file;
  int line = 0;
  std::string function;
  std::string data;
  bool operator==(const Raised& other) const {
    return code == other.code && file == other.file && line == other.line && function == other.function &&
           data == other.data;
  }
};

void Raise(int library, int reason, const char* file, int line, const char* function, const char* data) {
  ERR_new();
  ERR_set_debug(file, line, function);
  if (data == nullptr) {
    ERR_set_error(library, reason, nullptr);
  } else {
    ERR_set_error(library, reason, "%s", data);
  }
}

std::vector<Raised> TakeWithOpenSSL() {
  std::vector<Raised> raised;
  const char* file = nullptr;
  const char* function = nullptr;
  const char* data = nullptr;
  int line = 0;
  int flags = 0;
  while (const unsigned long code = ERR_get_error_all(&file, &line, &function, &data, &flags)) {
    raised.push_back({code, file, line, function, (flags & ERR_TXT_STRING) != 0 ? data : ""});
  }
  return raised;
}

void RaiseThree() {
  Raise(ERR_LIB_RSA, 100, "rsa.c", 11, "rsa_sign", "detail=1");
  Raise(ERR_LIB_SYS, ENOENT, "file.c", 22, "fopen", "a % sign, and %s");
  Raise(ERR_LIB_EVP, ERR_R_MALLOC_FAILURE, "evp.c", 33, "EVP_Sign", nullptr);
}

std::vector<unsigned long> Codes() {
  std::vector<unsigned long> codes;
  for (const Raised& raised : TakeWithOpenSSL()) codes.push_back(raised.code);
  return codes;
}

}  // namespace

TEST_SUITE("error queue") {
  TEST_CASE("taken and restored, errors keep their order, codes, data, file, line and function") {
    ERR_clear_error();
    RaiseThree();
    const std::vector<Raised> original = TakeWithOpenSSL();
    REQUIRE(original.size() == 3);
    CHECK(original[1].data == "a % sign, and %s");
    RaiseThree();
    ErrorQueue queue = ErrorQueue::Take();
    CHECK(ERR_peek_error() == 0);
    CHECK_FALSE(queue.empty());
    queue.Restore();
    CHECK(queue.empty());
    CHECK(TakeWithOpenSSL() == original);
  }

  TEST_CASE("a full queue survives, and so does one that has wrapped round") {
    for (const int count : {15, 16, 40}) {
      CAPTURE(count);
      ERR_clear_error();
      const auto raise = [count] {
        for (int i = 1; i <= count; ++i) Raise(ERR_LIB_USER, i, "f.c", i, "f", std::to_string(i).c_str());
      };
      raise();
      const std::vector<Raised> original = TakeWithOpenSSL();
      raise();
      ErrorQueue queue = ErrorQueue::Take();
      queue.Restore();
      CHECK(TakeWithOpenSSL() == original);
    }
  }

  TEST_CASE("restored errors come behind those that are there already") {
    ERR_clear_error();
    Raise(ERR_LIB_USER, 1, "a", 1, "a", nullptr);
    ErrorQueue queue = ErrorQueue::Take();
    Raise(ERR_LIB_USER, 2, "b", 2, "b", nullptr);
    queue.Restore();
    CHECK(Codes() == std::vector<unsigned long>{ERR_PACK(ERR_LIB_USER, 0, 2), ERR_PACK(ERR_LIB_USER, 0, 1)});
  }

  TEST_CASE("an empty queue is taken and restored as such") {
    ERR_clear_error();
    ErrorQueue queue = ErrorQueue::Take();
    CHECK(queue.empty());
    CHECK(queue.Lines().empty());
    queue.Restore();
    CHECK(ERR_peek_error() == 0);
  }

  TEST_CASE("two queues that take turns do not mix") {
    ERR_clear_error();
    ErrorQueue queues[2];
    for (int round = 1; round <= 5; ++round) {
      for (int who = 0; who < 2; ++who) {
        queues[who].Restore();
        Raise(ERR_LIB_USER, 100 * who + round, "f", round, "f", nullptr);
        queues[who] = ErrorQueue::Take();
        CHECK(ERR_peek_error() == 0);
      }
    }
    for (int who = 0; who < 2; ++who) {
      queues[who].Restore();
      const std::vector<unsigned long> codes = Codes();
      REQUIRE(codes.size() == 5);
      for (int round = 1; round <= 5; ++round) {
        CHECK(codes[static_cast<size_t>(round - 1)] == ERR_PACK(ERR_LIB_USER, 0, 100 * who + round));
      }
    }
  }

  TEST_CASE("lines read as ERR_error_string() writes them, with the data") {
    ERR_clear_error();
    Raise(ERR_LIB_RSA, 100, "rsa.c", 11, "rsa_sign", "detail=1");
    char text[256];
    ERR_error_string_n(ERR_peek_error(), text, sizeof(text));
    const ErrorQueue queue = ErrorQueue::Take();
    CHECK(queue.Lines() == std::vector<std::string>{std::string(text) + ":detail=1"});
  }

  TEST_CASE("a scope hides what was there, and forgets what was raised within") {
    ERR_clear_error();
    RaiseThree();
    const std::vector<Raised> original = TakeWithOpenSSL();
    RaiseThree();
    {
      const ErrorQueueScope scope;
      CHECK(ERR_peek_error() == 0);
      Raise(ERR_LIB_USER, 1, "inner", 1, "inner", nullptr);
      {
        const ErrorQueueScope nested;
        CHECK(ERR_peek_error() == 0);
        Raise(ERR_LIB_USER, 2, "innermost", 1, "innermost", nullptr);
      }
      CHECK(ERR_peek_error() == ERR_PACK(ERR_LIB_USER, 0, 1));
    }
    CHECK(TakeWithOpenSSL() == original);
  }

  TEST_CASE("pending errors are seen as OpenSSL sees them, on each thread") {
    const auto check = [] {
      ERR_clear_error();
      const PendingErrors quick = PendingErrors::OfThisThread();
      const PendingErrors slow;
      CHECK_FALSE(quick.any());
      for (int round = 0; round < 40; ++round) {  // further than the queue's 16 entries
        Raise(ERR_LIB_USER, 1, "f", 1, "f", nullptr);
        CHECK(quick.any());
        CHECK(slow.any());
        if (round % 3 == 0) {
          ERR_clear_error();
        } else {
          while (ERR_get_error() != 0) {
          }
        }
        CHECK_FALSE(quick.any());
        CHECK_FALSE(slow.any());
      }
    };
    check();
    InThreadOfItsOwn(check);
  }
}

}  // namespace openssl_async::testing
