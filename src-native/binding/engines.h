// Engines: module exports.
#pragma once

namespace openssl_async {

class Exports;

void AddEngineExports(Exports& exports);

}  // namespace openssl_async
