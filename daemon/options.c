/*
 * options: see options.h.
 *
 * Tests: tests/system/test_startup.c.
 */
#include "daemon/options.h"

#include <getopt.h>

static const char HELP[] =
    "Usage: ipcd [OPTION]...\n"
    "Serve named queues, dicts, lists, locks, shared numbers, pipes and more to the processes of\n"
    "this machine, over a Unix-domain socket, in MessagePack-RPC. Runs in the foreground and logs\n"
    "to standard error.\n"
    "\n"
    "  --socket=PATH         where to listen; \"@NAME\" is an abstract socket. Default: "
    "$IPCD_SOCKET,\n"
    "                        else path of [socket] in the configuration, else (unless run by "
    "root)\n"
    "                        $XDG_RUNTIME_DIR/ipcd/ipcd.sock, else /run/ipcd/ipcd.sock\n"
    "  --socket-mode=MODE    who may connect, as octal file mode bits. Default: 0666: everybody;\n"
    "                        each object has a mode of its own\n"
    "  --socket-group=GROUP  the group of the socket, by name or number. Default: as it comes\n"
    "  --config=FILE         limits, and defaults for the above (see ipcd.conf(5)); read again on\n"
    "                        SIGHUP. Default: none\n"
    "  --state=DIRECTORY     where durable objects are kept. Default: $STATE_DIRECTORY, else "
    "directory\n"
    "                        of [store] in the configuration, else nowhere: there can be none "
    "then\n"
    "  --engine=URL          where the objects live that several machines share: "
    "redis://HOST[:PORT],\n"
    "                        rediss://… (TLS), redis+unix:///PATH. Which these are is said by "
    "names\n"
    "                        of [engine] in the configuration; default: every name. See "
    "ipcd.conf(5)\n"
    "  --embedded            belong to the processes that use it, and end with the last of them: "
    "for\n"
    "                        programs that start it; see ipcd(8)\n"
    "  --check-takeover=N    tell whether it could take the place of a running ipcd, with these\n"
    "                        options, and exit; the running one asks this (see ipcd(8))\n"
    "  --version             show the version and exit\n"
    "  --help                show this and exit\n"
    "\n"
    "Sockets that systemd passes (socket activation) are used instead of the ones above. SIGTERM "
    "and\n"
    "SIGINT stop the daemon: waiting calls are answered with CANCELLED.\n"
    "Exit status: 0 stopped by a signal, 1 failure, 2 wrong usage. See ipcd(8).\n";

enum {
    OPTION_SOCKET = 256,
    OPTION_MODE,
    OPTION_GROUP,
    OPTION_CONFIG,
    OPTION_STATE,
    OPTION_ENGINE,
    OPTION_EMBEDDED,
    OPTION_CHECK_TAKEOVER,
    OPTION_VERSION,
    OPTION_HELP
};

static const struct option OPTIONS[] = {
    {"socket", required_argument, NULL, OPTION_SOCKET},
    {"socket-mode", required_argument, NULL, OPTION_MODE},
    {"socket-group", required_argument, NULL, OPTION_GROUP},
    {"config", required_argument, NULL, OPTION_CONFIG},
    {"state", required_argument, NULL, OPTION_STATE},
    {"engine", required_argument, NULL, OPTION_ENGINE},
    {"embedded", no_argument, NULL, OPTION_EMBEDDED},
    {"check-takeover", required_argument, NULL, OPTION_CHECK_TAKEOVER},
    {"version", no_argument, NULL, OPTION_VERSION},
    {"help", no_argument, NULL, OPTION_HELP},
    {NULL, 0, NULL, 0},
};

/* Prints to standard output; what cannot be printed is a failure of its own. */
static int print(const char *text)
{
    return fputs(text, stdout) == EOF || fflush(stdout) == EOF ? 1 : OPTIONS_DONE;
}

int options_parse(int argc, char **argv, struct options *out)
{
    *out = (struct options){.argv = argv};
    for (;;) {
        switch (getopt_long(argc, argv, "", OPTIONS, NULL)) {
        case OPTION_SOCKET:
            out->socket = optarg;
            break;
        case OPTION_MODE:
            out->socket_mode = optarg;
            break;
        case OPTION_GROUP:
            out->socket_group = optarg;
            break;
        case OPTION_CONFIG:
            out->config = optarg;
            break;
        case OPTION_STATE:
            out->state = optarg;
            break;
        case OPTION_ENGINE:
            out->engine = optarg;
            break;
        case OPTION_EMBEDDED:
            out->embedded = true;
            break;
        case OPTION_CHECK_TAKEOVER:
            out->check_takeover = optarg;
            break;
        case OPTION_VERSION:
            return print("ipcd " IPCD_VERSION "\n");
        case OPTION_HELP:
            return print(HELP);
        case -1:
            if (optind == argc && out->embedded && (out->state != NULL || out->engine != NULL)) {
                (void)fputs("ipcd: --embedded ends with those who use it and keeps nothing; "
                            "--state and --engine are for a daemon of its own\n",
                            stderr);
                return OPTIONS_USAGE;
            }
            if (optind == argc && out->embedded &&
                (out->socket != NULL || out->socket_mode != NULL || out->socket_group != NULL)) {
                (void)fputs("ipcd: --embedded listens where it chooses; it goes with no option of "
                            "the socket\n",
                            stderr);
                return OPTIONS_USAGE;
            }
            if (optind == argc) {
                return OPTIONS_RUN;
            }
            (void)fprintf(stderr,
                          "ipcd: unexpected argument \"%s\"; ipcd takes options only, see "
                          "ipcd --help\n",
                          argv[optind]);
            return OPTIONS_USAGE;
        default: /* getopt has said what is wrong */
            (void)fputs("ipcd: see ipcd --help for the options\n", stderr);
            return OPTIONS_USAGE;
        }
    }
}
