#include <dlfcn.h>

#include "openssl/host_symbols.h"

namespace openssl_async {

void* FindHostSymbol(const char* name) { return dlsym(RTLD_DEFAULT, name); }

}  // namespace openssl_async
