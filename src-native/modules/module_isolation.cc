#include "modules/module_isolation.h"

#include <openssl/conf.h>

#include "openssl/error_queue.h"
#include "openssl/pointers.h"

namespace openssl_async {

std::vector<std::string> ModulesOfConfiguration(const std::string& path) {
  using ConfPointer = DeleteFnPtr<CONF, NCONF_free>;
  const ErrorQueueScope errors;
  std::vector<std::string> modules;
  const ConfPointer conf(NCONF_new(nullptr));
  if (!conf || NCONF_load(conf.get(), path.c_str(), nullptr) <= 0) return modules;
  STACK_OF(OPENSSL_CSTRING)* sections = NCONF_get_section_names(conf.get());
  for (int i = 0; i < sk_OPENSSL_CSTRING_num(sections); ++i) {
    for (const char* name : {"pkcs11-module-path", "MODULE_PATH"}) {
      // Not NCONF_get_string(), which looks into the default section too.
      const STACK_OF(CONF_VALUE)* values = NCONF_get_section(conf.get(), sk_OPENSSL_CSTRING_value(sections, i));
      for (int j = 0; j < sk_CONF_VALUE_num(values); ++j) {
        const CONF_VALUE* value = sk_CONF_VALUE_value(values, j);
        if (std::string(value->name) == name && value->value != nullptr) modules.emplace_back(value->value);
      }
    }
  }
  sk_OPENSSL_CSTRING_free(sections);
  return modules;
}

}  // namespace openssl_async
