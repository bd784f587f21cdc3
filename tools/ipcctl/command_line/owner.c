/* owner: users and groups on the command line; see owner.h. */
#include "tools/ipcctl/command_line/owner.h"
#include "tools/ipcctl/command_line/number.h"

#include <grp.h>
#include <pwd.h>
#include <string.h>

enum { NAME_MAX_LENGTH = 255 };

static bool parse_id(const char *word, int64_t *id)
{
    return number_integer(word, 10, 0, UINT32_MAX - 1, id) == NUMBER_FINE;
}

static bool find_user(const char *word, int64_t *uid)
{
    const struct passwd *user = getpwnam(word);
    if (user != NULL) {
        *uid = user->pw_uid;
    }
    return user != NULL || parse_id(word, uid);
}

bool owner_group(const char *word, int64_t *gid)
{
    const struct group *group = getgrnam(word);
    if (group != NULL) {
        *gid = group->gr_gid;
    }
    return group != NULL || parse_id(word, gid);
}

bool owner_parse(const char *word, int64_t *uid, int64_t *gid)
{
    char user[NAME_MAX_LENGTH + 1];
    size_t len = strcspn(word, ":");
    const char *group = word[len] == ':' ? word + len + 1 : NULL;
    *uid = -1;
    *gid = -1;
    if (len > NAME_MAX_LENGTH || (len == 0 && group == NULL)) {
        return false;
    }
    memcpy(user, word, len);
    user[len] = '\0';
    return (len == 0 || find_user(user, uid)) && (group == NULL || owner_group(group, gid));
}
