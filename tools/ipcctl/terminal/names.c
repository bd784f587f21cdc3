/* names: users and groups by name and number; see names.h. */
#include "tools/ipcctl/terminal/names.h"
#include "tools/ipcctl/terminal/text.h"

#include <grp.h>
#include <inttypes.h>
#include <pwd.h>

const char *names_user(int64_t uid)
{
    const struct passwd *user = getpwuid((uid_t)uid);
    return user != NULL ? user->pw_name : NULL;
}

const char *names_group(int64_t gid)
{
    const struct group *group = getgrgid((gid_t)gid);
    return group != NULL ? group->gr_name : NULL;
}

static void put(struct buffer *out, const char *name, int64_t number)
{
    if (name == NULL) {
        text_format(out, "%" PRId64, number);
        return;
    }
    text_plain(out, slice_of_string(name));
    text_format(out, " (%" PRId64 ")", number);
}

void names_put_user(struct buffer *out, int64_t uid)
{
    put(out, names_user(uid), uid);
}

void names_put_group(struct buffer *out, int64_t gid)
{
    put(out, names_group(gid), gid);
}
