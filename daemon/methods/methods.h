/*
 * methods: the handlers, one for each row of methods.def: method_TYPE_VERB in the file of its type.
 *
 * A handler takes its params from the call, runs one operation of the object, and packs what came
 * out. What a handler may do and return is said in daemon/call/call.h.
 */
#pragma once

#include "daemon/call/dispatch.h"

#define METHOD(type, verb, ...) call_handler method_##type##_##verb;
#include "proto/methods.def"
#undef METHOD
