// Providers: module exports.
#pragma once

namespace openssl_async {

class Exports;

void AddProviderExports(Exports& exports);

}  // namespace openssl_async
