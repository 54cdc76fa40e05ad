// The exports that remote keys need.
#pragma once

#include <napi.h>

#include "remote/remote_requests.h"

namespace openssl_async {

class Exports;

void AddRemoteKeyExports(Exports& exports);

// What is new, for JavaScript: see RemoteWord. Empty when there is nothing.
Napi::Array TakeRemoteRequests(Napi::Env env, RemoteRequests& requests);

}  // namespace openssl_async
