/* saving: see saving.h; loading is in loading.c. Tests: tests/unit/objects/test_rows.c. */
#include "daemon/objects/saving.h"

#include "daemon/objects/row_form.h"

enum {
    /* Numbers of objects are written down in advance, so that not every new one is a row more. */
    NUMBERS_AT_ONCE = 1024,
    CHANGE_COST = 256,     /* the rows that a change is written in, without values */
    VALUE_COST = 80,       /* what is written with a value, at most */
    LIST_AGAIN = 32 * 512, /* a list's values that are written again with their neighbour */
};

int object_save_own(const struct object *object, const struct row_writer *out)
{
    struct buffer value = {0};
    row_begin(&value);
    pack_string(&value, object_type_name(object));
    pack_str(&value, object_name(object));
    pack_uint(&value, object->uid);
    pack_uint(&value, object->gid);
    pack_uint(&value, object->mode);
    pack_string(&value, lifetime_name((enum lifetime)object->lifetime));
    pack_int(&value, object->created.tv_sec);
    pack_int(&value, object->created.tv_nsec);
    if (object->type->save_options != NULL) {
        object->type->save_options(object, &value);
    }
    int status = row_put(out, (struct slice){0}, &value);
    buffer_deinit(&value);
    return status;
}

static int save_contents(struct object *object, enum rows which, const struct row_writer *out,
                         const struct moment *now)
{
    bool has = object->type->save != NULL && !object_is_sealed(object);
    return has ? object->type->save(object, which, out, now) : 0;
}

static int save_changed(struct object *object, const struct row_writer *out,
                        const struct moment *now)
{
    int status = 0;
    if ((object->unsaved & UNSAVED_ALL) != 0) {
        status = out->remove_all(out->data);
    }
    if (status == 0 && object->unsaved != 0) {
        status = object_save_own(object, out);
    }
    if (status == 0) {
        status = save_contents(object, ROWS_CHANGED, out, now);
    }
    if (status == 0) {
        object->unsaved = 0;
    }
    return status;
}

int object_save(struct object *object, enum rows which, const struct row_writer *out,
                const struct moment *now)
{
    if (which == ROWS_ALL) {
        int status = object_save_own(object, out);
        return status < 0 ? status : save_contents(object, which, out, now);
    }
    if (object->is_gone) {
        return out->remove_all(out->data);
    }
    int status = save_changed(object, out, now);
    if (status < 0) {
        object_join_changed(object);
    }
    return status;
}

int registry_save(struct registry *registry, enum rows which, const struct row_writer *out)
{
    uint64_t next = registry->objects.next_seq;
    if (which == ROWS_CHANGED) {
        if (next <= registry->saved_numbers) {
            return 0;
        }
        next = (next / NUMBERS_AT_ONCE + 1) * NUMBERS_AT_ONCE;
    }
    struct buffer value = {0};
    row_begin(&value);
    pack_uint(&value, next);
    pack_uint(&value, registry->anonymous);
    int status = row_put(out, (struct slice){0}, &value);
    if (status == 0 && which == ROWS_CHANGED) {
        registry->saved_numbers = next;
    }
    buffer_deinit(&value);
    return status;
}

uint64_t object_save_cost(const struct object *object, uint64_t values, uint64_t bytes, bool moves)
{
    uint64_t cost = CHANGE_COST + bytes + values * VALUE_COST;
    uint64_t all = object->bytes + bytes;
    if (moves) {
        return cost + all;
    }
    if (object->type->kind == OBJECT_LIST) {
        cost += all < LIST_AGAIN ? all : LIST_AGAIN;
    }
    return cost;
}
