/*
 * open: TYPE.open(name, options), the same for every type: the common options, the look-up, the
 * comparison with what is there, the making of what is not, and the answer, the description.
 */
#pragma once

#include "daemon/call/lookup.h"
#include "daemon/methods/options.h"

/* What a type adds. `given` is what options_read found for the options of its own: given[
 * OPTION_queue_open_maxsize]. */
struct open_type {
    const struct object_type *type;
    /* Makes the object: 0 with one reference in *out, or an error (call_fail or bare). */
    int (*make)(struct call *call, const struct object_options *common, const struct param *given,
                struct object **out);
    /* The object is there: sets differs[i] for each given option that does not agree with it; all
     * are false before. May be NULL: nothing to compare. */
    void (*differs)(const struct object *object, const struct param *given, bool *differs);
    /* The object is there: 0 if the caller may open it, as far as that is not a matter of its own
     * mode, or call_fail. May be NULL: nothing to ask. */
    int (*may_open)(struct call *call, const struct object *object);
};

/* The options of an open, read and checked. */
struct open_request {
    struct param options[METHOD_OPTIONS_MAX]; /* the common ones, then the type's */
    struct slice name;                        /* empty: anonymous */
    enum lifetime lifetime;
    gid_t gid;
};

/* Reads them. 0, or the call's refusal: the name is none, or an option is not right. */
int open_read(struct call *call, struct open_request *request);

/* What is there under the name. */
struct open_found {
    struct standing standing;
    const char *type;
    uint8_t lifetime;
};

/* May it be opened like this? In two steps, with what else a type asks for between them: is it of
 * the method's type, may it be there, and has the caller the right to keep it; and do the given
 * options that all types have agree with it? 0, or the call's refusal. */
int open_check_right(struct call *call, const struct open_request *request,
                     const struct open_found *found);
int open_check_common(struct call *call, const struct open_request *request,
                      const struct open_found *found);
/* The call's refusal: MISMATCH. */
int open_refuse_mismatch(struct call *call, const char *name, const char *option);
/* May one of a type be made, that `can_last` or not? `stores`: durable ones have a place. 0, or the
 * call's refusal. */
int open_check_creation(struct call *call, const struct open_request *request, bool can_last,
                        bool stores);

/* For a type whose options may be large, with much to be stored (`initial`): true if the call needs
 * a pace to make the object. It then is in no registry while it is being made. */
bool open_needs_pace(struct call *call);

/* The handler of a TYPE.open. */
int open_object(struct call *call, const struct open_type *type);

/* Packs the description of an object at `now`: the map of the protocol's section "Objects". */
void describe_object(const struct object *object, struct buffer *out, uint64_t now);
/* Packs the pairs of that map; returns how many. */
size_t pack_description(const struct object *object, struct buffer *out, uint64_t now);
