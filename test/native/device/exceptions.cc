// A job function that throws. Defined in C++, so that unwinding crosses no C frame of ours.
#include <cstdint>
#include <stdexcept>

#include "functions.h"
#include "notify.h"

int throw_exception(void* args) {
  const int32_t kind = args == nullptr ? 0 : *static_cast<const int32_t*>(args);
  if (kind == 1) throw 1;
  if (kind == 2) pause_with_self_wake();
  throw std::runtime_error("thrown by a job function of the test device");
}
