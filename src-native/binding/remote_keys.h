// The exports that remote keys need.
#pragma once

namespace openssl_async {

class Exports;

void AddRemoteKeyExports(Exports& exports);

}  // namespace openssl_async
