/* The same program in C++. */
#include "tests/unit/client/header.c"
