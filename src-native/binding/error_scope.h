// What JavaScript calls with OpenSSL's error queue as it was before.
#pragma once

namespace openssl_async {

class Exports;

void AddErrorScopeExports(Exports& exports);

}  // namespace openssl_async
