/*
 * load: what is measured: the table of loads, with the bars that ipcd must meet, and how one of
 * them is run once against one target.
 *
 * Each run stands for itself: it empties the target's queue and dict, fills in what the operation
 * needs, warms up and then measures. A load that fails has printed a sentence.
 */
#pragma once

#include "tools/ipcbench/stats.h"
#include "tools/ipcbench/target.h"

/* What a figure of ipcd must reach; 0: no such bar. */
struct bars {
    double cpu;       /* at most so many microseconds of server CPU per operation */
    double rate;      /* at least so many operations per second */
    double ratio;     /* at least so many times the rate of Redis in the same run */
    double p50;       /* at most so many microseconds */
    double p50_ratio; /* a p50 of at most so many times that of Redis */
    double bytes;     /* at most so much memory per item */
    double bare;      /* at least so many times the rate of a bare socket pair */
};

struct trial;

struct load {
    const char *name;  /* "group/what" */
    const char *title; /* for the table */
    int (*run)(struct trial *trial);
    enum operation operation;
    unsigned depth; /* outstanding requests on each connection */
    unsigned connections;
    size_t payload; /* bytes of an item or value */
    uint64_t count; /* operations of one run; 0: as many as fit into the time given */
    const struct bars *bars;
};

/* One run of one load against one target. */
struct trial {
    const struct load *load;
    struct target *target;
    uint64_t count; /* operations to measure */
    struct measurement result;
};

/* The table, in the order in which it is run; its end has no name. */
extern const struct load loads[];

/* True if the load can say anything about the target: an echo keeps nothing, and the library speaks
 * to ipcd alone. */
bool load_suits(const struct load *load, const struct target *target);

/* True if it goes through libipcclient, so that there is nothing to compare with. */
bool load_is_of_library(const struct load *load);

/* The most operations that one run may do, so that no run takes memory or time without bound. */
uint64_t load_limit(const struct load *load);

/* Empties the target and puts in what `operations` of the load are going to need: items to take,
 * keys to set again or look up. 0, or -1 with a sentence. */
int load_fill(const struct trial *trial, uint64_t operations);

/* The ways to run. All return 0 with trial->result set, or -1 with a sentence. */
int load_window(struct trial *trial); /* windows of requests: load_window.c */
int load_handoff(
    struct trial *trial);             /* producer to consumer, as fast as it goes: load_handoff.c */
int load_paced(struct trial *trial);  /* producer to consumer, an item each ms */
int load_memory(struct trial *trial); /* per item or entry: load_memory.c */
int load_idle(struct trial *trial);   /* per idle session */
int load_pipe(struct trial *trial);   /* a pipe beside a bare socket pair: load_pipe.c */
int load_library(struct trial *trial);    /* round trips through libipcclient: load_library.c */
int load_add_mapped(struct trial *trial); /* adding to a value in memory: load_shared.c */
int load_add_called(struct trial *trial); /* adding to a value by a call */
