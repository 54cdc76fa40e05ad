// The shared library that contains this code.
#pragma once

#include <string>
#include <vector>

namespace openssl_async {

// UTF-8; the program's path when the code is linked into it.
std::string PathOfThisModule();

// Paths of the process's shared libraries; empty on Windows.
std::vector<std::string> LoadedModules();

// Keeps the library loaded for ever: pointers into it outlive everything.
void PinThisModule();

}  // namespace openssl_async
