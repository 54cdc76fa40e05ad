#include <dlfcn.h>
#ifdef __APPLE__
#include <mach-o/dyld.h>
#else
#include <link.h>
#endif

#include "job/self_module.h"

namespace openssl_async {

namespace {

const char kHere = 0;

}  // namespace

std::string PathOfThisModule() {
  Dl_info info = {};
  return dladdr(&kHere, &info) != 0 && info.dli_fname != nullptr ? info.dli_fname : "";
}

std::vector<std::string> LoadedModules() {
  std::vector<std::string> paths;
#ifdef __APPLE__
  for (uint32_t i = 0; i < _dyld_image_count(); ++i) {
    if (const char* name = _dyld_get_image_name(i); name != nullptr) paths.emplace_back(name);
  }
#else
  dl_iterate_phdr(
      [](dl_phdr_info* info, size_t, void* argument) {
        if (info->dlpi_name != nullptr) static_cast<std::vector<std::string>*>(argument)->emplace_back(info->dlpi_name);
        return 0;
      },
      &paths);
#endif
  return paths;
}

void PinThisModule() {
#ifndef __linux__  // on Linux the linker has seen to that: see nodelete in defaults.gypi
  dlopen(PathOfThisModule().c_str(), RTLD_LAZY | RTLD_NOLOAD | RTLD_NODELETE);
#endif
}

}  // namespace openssl_async
