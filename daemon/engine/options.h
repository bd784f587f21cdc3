/*
 * options: what an engine is told when it is opened.
 */
#pragma once

#include "proto/slice.h"

/* Functions for Redis, as tools/engine-library makes them. */
struct engine_functions {
    const char *name;
    const char *freeing; /* of the second function, for what frees memory (frees.h) */
    struct slice source;
};

struct engine_options {
    const char *url; /* see url.h */
    const char *realm;
    const char *host; /* NULL: the name of the machine */
    /* True if objects of that name live in the engine. */
    bool (*has_name)(void *data, const char *name);
    uint64_t lease_ms;
    uint64_t timeout_ms; /* how long calls wait for an engine that is away */
    unsigned wait_replicas;
    const char *user; /* NULL: the URL's, or the default one; so are the files' names */
    const char *password_file;
    const char *ca_file;
    const char *certificate_file;
    const char *key_file;
    /* Called, in the event loop, when sessions may have been answered. NULL: nobody is told. */
    void (*answered)(void *data);
    /* A line for the log. NULL: nobody is told. */
    void (*say)(void *data, const char *text);
    void *data;
    /* For tests. Milliseconds by which the objects go; NULL: the engine's own clock. */
    uint64_t (*now_ms)(void *data);
    const char *tag; /* that of all names, for functions that take it so; NULL: each has its own */
    const struct engine_functions *functions; /* NULL: those of library.h; not copied */
};
