/*
 * forms: the names of the one-member objects that stand for what JSON lacks; see json.h. Both
 * directions have them from here.
 */
#pragma once

#include "proto/slice.h"

#define FORM_BIN "$bin"
#define FORM_EXT "$ext"
#define FORM_FD "$fd"
#define FORM_FLOAT "$float"
#define FORM_MAP "$map"
#define FORM_OBJECT "$object"
#define FORM_STR "$str"
#define FORM_TIMESTAMP "$timestamp"
#define FORM_UINT "$uint"

struct json_form;

/* The form whose name is `key`, or NULL. */
const struct json_form *json_form_of(struct slice key);
