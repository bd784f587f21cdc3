/*
 * library: the functions in Redis, made of daemon/engine/lua/ when ipcd is built
 * (tools/engine-library).
 */
#pragma once

#include "daemon/engine/options.h"

extern const struct engine_functions engine_functions;
