/* method: the rows of methods.def and options.def, and the decoding of signatures; see method.h. */
#include "proto/method.h"

#include <assert.h>

const struct method methods[METHOD_COUNT] = {
#define METHOD(type_, verb_, needs_, flags_, params_, result_, errors_, summary_)                  \
    {.id = METHOD_##type_##_##verb_,                                                               \
     .name = &(#type_ "." #verb_)[sizeof(#type_) == 1], /* no dot without a type */                \
     .type = #type_,                                                                               \
     .params = params_,                                                                            \
     .result = result_,                                                                            \
     .errors = errors_,                                                                            \
     .summary = summary_,                                                                          \
     .needs = METHOD_NEEDS_##needs_,                                                               \
     .flags = flags_},
#define WAITS METHOD_WAITS
#define LOOKS METHOD_LOOKS
#define BEHIND METHOD_BEHIND
#include "proto/methods.def"
#undef WAITS
#undef LOOKS
#undef BEHIND
#undef METHOD
};

static const struct method_option option_rows[] = {
#define OPTION(type_, verb_, name_, kind_, words_, standard_, summary_)                            \
    {.method = #type_ "." #verb_,                                                                  \
     .name = #name_,                                                                               \
     .type = PARAM_##kind_,                                                                        \
     .words = words_,                                                                              \
     .standard = standard_,                                                                        \
     .summary = summary_},
#define OPTIONS(...)
#include "proto/options.def"
#undef OPTIONS
#undef OPTION
};

struct type_row {
    const char *word;
    const char *name;
};

static const struct type_row types[] = {
    [PARAM_OBJECT] = {"object", "the name of an object (str)"},
    [PARAM_OBJECTS] = {"objects", "an array of names of objects (str)"},
    [PARAM_NAME] = {"name", "a name (str) or nil"},
    [PARAM_VALUE] = {"value", "a value"},
    [PARAM_STR] = {"str", "a str"},
    [PARAM_BOOL] = {"bool", "a boolean"},
    [PARAM_INT] = {"int", "an integer of 64 bits"},
    [PARAM_OPTINT] = {"optint", "an integer of 64 bits or nil"},
    [PARAM_UINT] = {"uint", "an integer that is not negative"},
    [PARAM_COUNT] = {"count", "a count (an integer that is not negative)"},
    [PARAM_NUMBER] = {"number", "an integer or a float"},
    [PARAM_MS] = {"ms", "milliseconds (an integer that is not negative)"},
    [PARAM_TIMEOUT] = {"timeout",
                       "milliseconds (an integer that is not negative), or nil for no limit"},
    [PARAM_ARRAY] = {"array", "an array"},
    [PARAM_MAP] = {"map", "a map"},
    [PARAM_OWNER] = {"owner", "an integer or a str"},
    [PARAM_GROUP] = {"group",
                     "a gid (an integer that is not negative) or the name of a group (str)"},
    [PARAM_SESSION] = {"session", "the number of a session of this daemon, or HOST:NUMBER (str)"},
};

static enum param_type type_of_word(struct slice word)
{
    for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
        if (slice_equal(word, slice_of_string(types[i].word))) {
            return (enum param_type)i;
        }
    }
    assert(0 && "methods.def names a param type that there is not");
    return PARAM_VALUE;
}

static void add_options(struct method_signature *signature, const char *method)
{
    for (size_t i = 0; i < sizeof(option_rows) / sizeof(option_rows[0]); i++) {
        if (strcmp(option_rows[i].method, method) == 0) {
            assert(signature->option_count < METHOD_OPTIONS_MAX);
            signature->options[signature->option_count++] = &option_rows[i];
        }
    }
}

void method_signature(const struct method *method, struct method_signature *out)
{
    *out = (struct method_signature){0};
    const char *at = method->params;
    while (*at != '\0') {
        assert(out->count < METHOD_PARAMS_MAX);
        struct method_param *param = &out->params[out->count++];
        param->optional = *at == '[';
        at += param->optional;
        size_t name = strcspn(at, ":");
        size_t type = strcspn(at + name + 1, " ]");
        param->name = (struct slice){(const uint8_t *)at, name};
        param->type = type_of_word((struct slice){(const uint8_t *)at + name + 1, type});
        if (!param->optional) {
            assert(out->required == out->count - 1);
            out->required = out->count;
        }
        at += name + 1 + type;
        at += strspn(at, "] ");
    }
    if (strcmp(method->name + strlen(method->type), ".open") == 0) {
        add_options(out, "TYPE.open");
    }
    add_options(out, method->name);
}

const struct method *method_find(struct slice name)
{
    for (size_t i = 0; i < METHOD_COUNT; i++) {
        if (slice_equal(name, slice_of_string(methods[i].name))) {
            return &methods[i];
        }
    }
    return NULL;
}

const char *param_type_name(enum param_type type)
{
    return types[type].name;
}

const char *param_type_word(enum param_type type)
{
    return types[type].word;
}

int method_option_word(const struct method_option *option, struct slice word)
{
    const char *at = option->words;
    for (int place = 0; *at != '\0'; place++) {
        size_t len = strcspn(at, " ");
        if (slice_equal(word, (struct slice){(const uint8_t *)at, len})) {
            return place;
        }
        at += len;
        at += strspn(at, " ");
    }
    return -1;
}
