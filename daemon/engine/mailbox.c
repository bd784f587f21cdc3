/* mailbox: see mailbox.h. Tests: tests/unit/engine/test_hosts.c. */
#include "daemon/engine/mailbox.h"

void mailbox_open(struct engine *engine, struct lane *lane)
{
    struct mailbox *mailbox = &lane->mailbox;
    if (!mailbox->subscribed &&
        cluster_subscribe(engine->cluster, buffer_slice(&lane->channel)) == 0) {
        mailbox->subscribed = true;
        engine->confirming++;
    }
}

void mailbox_close(void *data, struct lane *lane)
{
    struct engine *engine = data;
    if (lane->mailbox.subscribed) {
        cluster_unsubscribe(engine->cluster, buffer_slice(&lane->channel));
        engine->confirming -= !lane->mailbox.confirmed;
        lane->mailbox.subscribed = false;
        lane->mailbox.confirmed = false;
    }
}
