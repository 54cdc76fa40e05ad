#include "job/stack_overflow.h"

#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <string>

#include "job/job_stack.h"
#include "support.h"

namespace openssl_async::testing {

namespace {

// A page that nobody may touch.
class Guard {
 public:
  Guard() : size_(static_cast<size_t>(sysconf(_SC_PAGESIZE))) {
    address_ = mmap(nullptr, size_, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    REQUIRE(address_ != MAP_FAILED);
  }
  ~Guard() { munmap(address_, size_); }
  Guard(const Guard&) = delete;
  Guard& operator=(const Guard&) = delete;

  void* address() const { return address_; }
  size_t size() const { return size_; }

 private:
  void* address_ = nullptr;
  size_t size_;
};

// The words on stderr of a child process that writes there, and the signal that ends it.
std::string LastWordsOfAWriteTo(void* address, int* signal) {
  Pipe words;
  const pid_t child = fork();
  if (child == 0) {
    dup2(words.write_end.get(), STDERR_FILENO);
    dup2(words.write_end.get(), STDOUT_FILENO);  // doctest's own report of the crash
    *static_cast<volatile char*>(address) = 1;
    _exit(0);
  }
  words.write_end.reset();
  std::string text;
  char part[256];
  for (ssize_t count = 0; (count = read(words.fd(), part, sizeof(part))) > 0;)
    text.append(part, static_cast<size_t>(count));
  int status = 0;
  waitpid(child, &status, 0);
  *signal = WIFSIGNALED(status) ? WTERMSIG(status) : 0;
  return text;
}

}  // namespace

TEST_SUITE("stacks") {
  TEST_CASE("a write to a watched guard page says why the process ends; one to another page does not") {
    PrepareThreadForOverflow();
    const Guard watched;
    const Guard unwatched;
    WatchForOverflow(watched.address(), watched.size());
    int signal = 0;
    CHECK(LastWordsOfAWriteTo(watched.address(), &signal).find("stackSizeBytes") != std::string::npos);
    CHECK(signal == SIGSEGV);
    CHECK(LastWordsOfAWriteTo(unwatched.address(), &signal).find("stackSizeBytes") == std::string::npos);
    UnwatchForOverflow(watched.address());
    CHECK(LastWordsOfAWriteTo(watched.address(), &signal).find("stackSizeBytes") == std::string::npos);
  }

  TEST_CASE("stacks are configured before they are prepared, or not at all") {
    PrepareStacks();
    CHECK_FALSE(ConfigureStacks(StackOptions()));
    const StackStats stats = GetStackStats();
    CHECK(stats.mode != StackStats::Mode::kNone);
    CHECK(stats.stack_size_bytes >= size_t{32} * 1024);
  }
}

}  // namespace openssl_async::testing
