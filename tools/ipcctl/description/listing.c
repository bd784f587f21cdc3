/* listing: going through all objects; see listing.h. */
#include "tools/ipcctl/description/listing.h"
#include "tools/ipcctl/request.h"

static void pack_filter(struct buffer *out, const struct filter *filter, int64_t cursor)
{
    pack_map(out, 1 + (size_t)(filter->glob != NULL) + (filter->type != NULL) + filter->waiting);
    pack_key_int(out, "cursor", cursor);
    if (filter->glob != NULL) {
        pack_key_string(out, "glob", filter->glob);
    }
    if (filter->waiting) {
        pack_key_bool(out, "waiting", true);
    }
    if (filter->type != NULL) {
        pack_key_string(out, "type", filter->type);
    }
}

/* One page. *cursor is moved; 0 after the last one, and when `each` has had enough. */
static int list_page(struct context *context, const struct filter *filter,
                     struct listener *listener, int64_t *cursor)
{
    struct request request;
    struct ipcc_reply reply;
    request_init(&request, "object.list");
    pack_filter(request_param(&request), filter, *cursor);
    int error = request_try(context, &request, &reply);
    if (error < 0) {
        return error;
    }
    *cursor = field_int(&reply.value, "cursor");
    struct ipcc_value objects = field(&reply.value, "objects");
    struct ipcc_walk walk = ipcc_walk_of(&objects);
    struct ipcc_value description;
    while (ipcc_walk_next(&walk, &description)) {
        if (!listener->each(listener->data, &description)) {
            *cursor = 0;
            break;
        }
    }
    ipcc_reply_free(&reply);
    return 0;
}

int listing_run(struct context *context, const struct filter *filter, struct listener listener)
{
    int64_t cursor = 0;
    int error;
    do {
        error = list_page(context, filter, &listener, &cursor);
    } while (error == 0 && cursor != 0);
    return error;
}
