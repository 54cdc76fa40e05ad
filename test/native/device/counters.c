#include "counters.h"

struct device_counters device_counters;
