/* help: see help.h. */
#include "tools/ipcbench/help.h"

#include <stdio.h>

static const char help_options[] =
    "Usage: ipcbench [OPTION]…\n"
    "Measures a running ipcd: speed, the CPU time it takes, and memory.\n"
    "\n"
    "What is measured:\n"
    "  --socket PATH    the daemon's socket (default: $IPCD_SOCKET,\n"
    "                   $XDG_RUNTIME_DIR/ipcd/ipcd.sock, /run/ipcd/ipcd.sock)\n"
    "  --spawn          start a private daemon instead, and stop it in the end\n"
    "  --daemon PATH    the program that --spawn starts (default: the one built with it, else\n"
    "                   the one that PATH leads to)\n"
    "  --no-ipcd        leave ipcd out: only what the next two ask for\n"
    "  --redis          the same loads against a private redis-server, in the same run\n"
    "  --echo           the same loads against a bare libevent echo server: the limit\n"
    "  --only NAMES     only these loads: names or patterns, with commas between (\"handoff\" is\n"
    "                   the whole group, \"*/put-64x*\" a pattern); --list shows the names\n"
    "How:\n"
    "  --pin            bind the servers to one processor and the load to another\n"
    "  --pin-one        bind servers and load to the same processor: the quiet figures where\n"
    "                   waking another processor is dear, as it is in many virtual machines\n"
    "  --seconds S      how long a run of a load takes, about (default 0.15; the tables\n"
    "                   --durable and --engine: 0.2)\n"
    "  --count N        do N operations in each run instead\n"
    "  --runs N         runs of each load against each target (default 3; the tables: 15);\n"
    "                   medians are shown\n"
    "  --quick          one very short run of everything: does it work at all?\n"
    "Stalls:\n"
    "  --stall[=NAMES]  measure how long one client waits for another one's work instead: all the\n"
    "                   rows, or those of the names or patterns (\"queue\" is the whole group).\n"
    "                   With --quick the works are a fiftieth as large\n"
    "Durable objects:\n"
    "  --durable[=NAMES]  measure what it costs to have all on disk before it is told instead,\n"
    "                   beside Redis and beanstalkd, as far as they are installed, and a bare "
    "loop\n"
    "                   that appends and syncs: all the rows, or those of the names or patterns\n"
    "Objects in an engine:\n"
    "  --engine[=NAMES]  measure three daemons whose objects live in Redis instead, beside the "
    "same\n"
    "                   job done with plain commands of that Redis: all the rows, or those of the\n"
    "                   names or patterns. Exit status 77: no redis-server, or no engine in ipcd\n"
    "  --redis-cluster PATH  the program that starts a cluster for it (default: "
    "tools/redis-cluster\n"
    "                   of the sources that ipcbench was built in, else as PATH leads to it)\n"
    "Output:\n"
    "  --json           one JSON object for each load, each on a line, instead of the table\n"
    "  --list           the names of the loads, or of the rows of a table\n"
    "  --help, --version\n"
    "\n"
    "ipcbench(1) says what the columns mean and how it is measured.\n";

void help_print(void)
{
    (void)fputs(help_options, stdout);
}
