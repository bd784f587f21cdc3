/*
 * machine: how much memory there is for the daemon, which limits that nobody has set follow from.
 *
 * It is the least of what the machine has, of what the control groups that the process is in may
 * use (memory.max of version 2, memory.limit_in_bytes of version 1, their parents' too), and of the
 * process's own address space (RLIMIT_AS). Reads files of /proc and /sys, which does not block for
 * long.
 */
#pragma once

#include <stdint.h>

struct machine_memory {
    uint64_t bytes;   /* UINT64_MAX: not known */
    const char *what; /* that this is, for people: "the machine's memory" */
};

/* `root` stands before the paths of /proc and /sys: "", or the folder of a test. */
struct machine_memory machine_memory(const char *root);
