#include "modules/module_isolation.h"

namespace openssl_async {

SecondLibcrypto FindSecondLibcrypto(const std::string&) { return {}; }
Result<void> IsolateModule(const std::string&, Isolation) { return {}; }

}  // namespace openssl_async
