#include "operations/random.h"

#include <openssl/rand.h>

#include "operations/operation.h"

namespace openssl_async {

namespace {

class RandomSpec : public OperationSpec {
 public:
  explicit RandomSpec(OSSL_LIB_CTX* library_context) : library_context_(library_context) {}

  bool Run(Operation& operation) override {
    const size_t size = operation.size(0);
    unsigned char* output = operation.Reserve(0, size);
    if (output == nullptr) throw std::bad_alloc();
    return RAND_bytes_ex(library_context_, output, size, 0) == 1;
  }
  size_t WorkBytes(const Operation& operation) const override { return operation.size(0); }

 private:
  OSSL_LIB_CTX* const library_context_;
};

}  // namespace

SpecResult CreateRandomSpec(const SpecRequest& request) {
  return std::shared_ptr<OperationSpec>(std::make_shared<RandomSpec>(request.scope.library_context));
}

}  // namespace openssl_async
