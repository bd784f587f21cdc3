/*
 * option: see option.h.
 *
 * Tests: tests/unit/client/test_typed.c.
 */
#include "client/option.h"

#include "client/error.h"

void option_value(struct option_map *map, const char *name, struct ipcc_value value)
{
    if (value.kind != IPCC_NONE && map->count < OPTIONS_MAX) {
        map->pairs[2 * map->count] = ipcc_str(name);
        map->pairs[2 * map->count + 1] = value;
        map->count++;
    }
}

void option_int(struct option_map *map, const char *name, int64_t value)
{
    option_value(map, name, value != 0 ? ipcc_int(value) : ipcc_none());
}

void option_str(struct option_map *map, const char *name, const char *value)
{
    option_value(map, name, value != NULL ? ipcc_str(value) : ipcc_none());
}

void option_true(struct option_map *map, const char *name, bool value)
{
    option_value(map, name, value ? ipcc_bool(true) : ipcc_none());
}

int option_choice(struct option_map *map, const char *name, unsigned choice,
                  const char *const *names, unsigned count)
{
    if (choice >= count || (choice > 0 && names[choice] == NULL)) {
        return error_set(IPCC_ERR_ARGUMENT, "the option %s is %u, which is none of its choices",
                         name, choice);
    }
    option_str(map, name, names[choice]);
    return 0;
}

/* A group by its name, or by its number if the text is nothing but digits. */
static void option_group(struct option_map *map, const char *group)
{
    const char *at = group;
    int64_t gid = 0;
    while (at != NULL && *at >= '0' && *at <= '9' && gid <= UINT32_MAX) {
        gid = gid * 10 + (*at++ - '0');
    }
    if (at != NULL && at != group && *at == '\0') {
        option_value(map, "group", ipcc_int(gid));
    } else {
        option_str(map, "group", group);
    }
}

int option_open(struct option_map *map, const struct ipcc_open_options *options)
{
    static const char *const lifetimes[] = {NULL, "daemon", "scoped", "durable"};
    option_value(map, "create", options->existing ? ipcc_bool(false) : ipcc_none());
    option_true(map, "exclusive", options->exclusive);
    option_int(map, "mode", options->mode);
    option_group(map, options->group);
    int status = option_choice(map, "lifetime", options->lifetime, lifetimes, 4);
    return status < 0 ? status : CHECK_RESERVED(options);
}

struct ipcc_value option_map_value(const struct option_map *map)
{
    return map->count > 0 ? ipcc_map(map->pairs, map->count) : ipcc_none();
}

int option_holding(struct option_map *map, enum ipcc_on_disconnect choice)
{
    static const char *const names[] = {
        [IPCC_ON_DISCONNECT_RELEASE] = "release", [IPCC_ON_DISCONNECT_KEEP] = "keep"};
    return option_choice(map, "on_disconnect", choice, names, sizeof(names) / sizeof(names[0]));
}
