#include <openssl/err.h>

#include "operations/operation.h"
#include "operations/operation_spec.h"
#include "support.h"

namespace openssl_async::testing {

namespace {

class FailingSpec final : public OperationSpec {
 public:
  explicit FailingSpec(bool raises) : raises_(raises) {}
  bool Run(Operation&) override {
    if (raises_) ERR_raise_data(ERR_LIB_USER, 7, "the token says no");
    return false;
  }

 private:
  const bool raises_;
};

const Error& ErrorOf(Operation& operation, bool raises) {
  operation.Prepare(std::make_shared<FailingSpec>(raises), nullptr, 0, nullptr, 0);
  operation.Run();
  REQUIRE_FALSE(operation.ok());
  return operation.error();
}

}  // namespace

TEST_CASE("an operation that fails carries what the provider has raised") {
  Operation operation;
  const Error& error = ErrorOf(operation, true);
  REQUIRE(error.openssl_errors.size() == 1);
  CHECK(error.openssl_errors[0].find("the token says no") != std::string::npos);
}

TEST_CASE("an operation that fails without a word says so") {
  Operation operation;
  const Error& error = ErrorOf(operation, false);
  CHECK(std::string(error.code) == "ERR_CRYPTO_OPERATION_FAILED");
  CHECK(error.message.find("neither OpenSSL nor the provider said why") != std::string::npos);
  CHECK(error.openssl_errors.empty());
}

}  // namespace openssl_async::testing
