// The shared library that this code is in.
#pragma once

#include <string>
#include <vector>

namespace openssl_async {

// UTF-8; of the program, when the code is in none.
std::string PathOfThisModule();

// Paths of what the process has loaded, as far as the platform tells.
std::vector<std::string> LoadedModules();

// What points into it outlives everything: it is not unloaded any more.
void PinThisModule();

}  // namespace openssl_async
