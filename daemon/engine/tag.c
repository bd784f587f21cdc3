/* tag: see tag.h. Tests: tests/unit/engine/test_lane.c. */
#include "daemon/engine/tag.h"

/* The bytes of the tag that the name marks; false if it marks none. One that begins with % would be
 * among the daemon's own. */
static bool find_marked(struct slice name, struct slice *out)
{
    const uint8_t *open = name.len == 0 ? NULL : memchr(name.data, '{', name.len);
    if (open == NULL) {
        return false;
    }
    size_t rest = (size_t)(name.data + name.len - (open + 1));
    const uint8_t *close = rest == 0 ? NULL : memchr(open + 1, '}', rest);
    if (close == NULL || close == open + 1 || open[1] == '%') {
        return false;
    }
    *out = (struct slice){open + 1, (size_t)(close - (open + 1))};
    return true;
}

static bool has_signs(struct slice name)
{
    for (size_t i = 0; i < name.len; i++) {
        if (name.data[i] == '%' || name.data[i] == '{' || name.data[i] == '}') {
            return true;
        }
    }
    return false;
}

void tag_of_name(struct slice name, struct buffer *out)
{
    struct slice marked;
    if (find_marked(name, &marked)) {
        (void)buffer_append(out, marked.data, marked.len);
        return;
    }
    if (!has_signs(name)) {
        (void)buffer_append(out, name.data, name.len);
        return;
    }
    for (size_t i = 0; i < name.len; i++) {
        switch (name.data[i]) {
        case '%':
            (void)buffer_append(out, "%25", 3);
            break;
        case '{':
            (void)buffer_append(out, "%7B", 3);
            break;
        case '}':
            (void)buffer_append(out, "%7D", 3);
            break;
        default:
            (void)buffer_append(out, &name.data[i], 1);
            break;
        }
    }
}

static void begin_prefix(const char *realm, struct buffer *out)
{
    (void)buffer_append(out, "ipcd:", 5);
    (void)buffer_append(out, realm, strlen(realm));
    (void)buffer_append(out, ":{", 2);
}

void tag_prefix(const char *realm, struct slice tag, struct buffer *out)
{
    begin_prefix(realm, out);
    (void)buffer_append(out, tag.data, tag.len);
    (void)buffer_append(out, "}", 1);
}

bool tag_take_apart(struct slice key, char part, struct slice *prefix, struct slice *whose)
{
    const uint8_t *close = key.len == 0 ? NULL : memchr(key.data, '}', key.len);
    size_t len = close == NULL ? 0 : (size_t)(close - key.data) + 1;
    if (close == NULL || key.len - len <= 3 || close[1] != ':' || close[2] != (uint8_t)part ||
        close[3] != ':') {
        return false;
    }
    *prefix = (struct slice){key.data, len};
    *whose = slice_from(key, len + 3);
    return true;
}

void tag_prefix_of_name(const char *realm, struct slice name, struct buffer *out)
{
    begin_prefix(realm, out);
    tag_of_name(name, out);
    (void)buffer_append(out, "}", 1);
}

bool tag_is_same(struct slice a, struct slice b)
{
    struct buffer tags[2] = {{0}, {0}};
    tag_of_name(a, &tags[0]);
    tag_of_name(b, &tags[1]);
    bool same = !tags[0].failed && !tags[1].failed &&
                slice_equal(buffer_slice(&tags[0]), buffer_slice(&tags[1]));
    buffer_deinit(&tags[0]);
    buffer_deinit(&tags[1]);
    return same;
}
