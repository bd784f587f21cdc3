/*
 * listing: going through all objects that a pattern and a type select, page by page.
 */
#pragma once

#include "client/ipcclient.h"
#include "tools/ipcctl/context.h"

struct filter {
    const char *glob; /* NULL: all */
    const char *type; /* NULL: all */
    bool waiting;     /* only those on which calls wait */
};

/* Is told of each description, until it returns false. */
struct listener {
    bool (*each)(void *data, const struct ipcc_value *description);
    void *data;
};

/* 0 or an IPCC_ERR_ code. */
int listing_run(struct context *context, const struct filter *filter, struct listener listener);
