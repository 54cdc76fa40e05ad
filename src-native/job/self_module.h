// The shared library that this code is in.
#pragma once

#include <string>

namespace openssl_async {

// UTF-8; of the program, when the code is in none.
std::string PathOfThisModule();

// What points into it outlives everything: it is not unloaded any more.
void PinThisModule();

}  // namespace openssl_async
