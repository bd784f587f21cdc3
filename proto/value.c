/* value: see value.h. */
#include "proto/value.h"
