#include <dlfcn.h>

#include "job/self_module.h"

namespace openssl_async {

namespace {

const char kHere = 0;

}  // namespace

std::string PathOfThisModule() {
  Dl_info info = {};
  return dladdr(&kHere, &info) != 0 && info.dli_fname != nullptr ? info.dli_fname : "";
}

void PinThisModule() {
#ifndef __linux__  // where it is linked so: see binding.gyp
  dlopen(PathOfThisModule().c_str(), RTLD_LAZY | RTLD_NOLOAD | RTLD_NODELETE);
#endif
}

}  // namespace openssl_async
