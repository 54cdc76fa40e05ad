// The entry of the native unit tests; every other file here adds cases to it.
#define DOCTEST_CONFIG_IMPLEMENT
#include <doctest/doctest.h>

#if __has_include(<valgrind/valgrind.h>)
#include <openssl/crypto.h>
#include <valgrind/valgrind.h>

#include <cstdlib>
#include <mutex>
#include <unordered_map>

namespace {

// Valgrind takes a switch to a stack nearby for a very large frame, and calls what lies between inaccessible. It is
// told of the stacks of jobs, which OpenSSL allocates like anything else, by their size.
constexpr size_t kJobStackSize = 32768;

std::mutex stacks_mutex;
std::unordered_map<void*, unsigned> stacks;

void* Allocate(size_t size, const char*, int) {
  void* block = size == 0 ? nullptr : std::malloc(size);
  if (block != nullptr && size == kJobStackSize) {
    const std::lock_guard<std::mutex> lock(stacks_mutex);
    stacks[block] = VALGRIND_STACK_REGISTER(block, static_cast<char*>(block) + size - 1);
  }
  return block;
}

void Free(void* block, const char*, int) {
  {
    const std::lock_guard<std::mutex> lock(stacks_mutex);
    const auto stack = stacks.find(block);
    if (stack != stacks.end()) {
      VALGRIND_STACK_DEREGISTER(stack->second);
      stacks.erase(stack);
    }
  }
  std::free(block);
}

void* Reallocate(void* block, size_t size, const char* file, int line) {
  if (block == nullptr) return Allocate(size, file, line);
  if (size != 0) return std::realloc(block, size);
  Free(block, file, line);
  return nullptr;
}

void PrepareForValgrind() {
  if (RUNNING_ON_VALGRIND != 0) CRYPTO_set_mem_functions(Allocate, Reallocate, Free);
}

}  // namespace

#else

static void PrepareForValgrind() {}

#endif

int main(int argc, char** argv) {
  PrepareForValgrind();
  return doctest::Context(argc, argv).run();
}
