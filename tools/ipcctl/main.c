/*
 * ipcctl: ipcd's objects from the command line, for a person and for scripts.
 *
 * This file puts a run together: the command line is parsed by the command table, the command runs,
 * what it wrote is seen through to the end, and its status is the exit code. Each folder includes
 * from those below it only (tools/check-layers):
 *
 *     commands/      what commands do, a file for each group of them
 *     rows/          the command table: a row for each command, a file for each group of types;
 *                    most commands are no more than their row and a method of the daemon
 *     description/   what the daemon says of objects and sessions, for people
 *     (here)         the run: arguments.c fills the context, value.c reads values, request.c makes
 *                    calls, output.c is where everything that is printed goes out
 *     command_line/  what a command line can say: what rows and options are made of, how the words
 *                    are checked and turned into numbers and values
 *     terminal/      text, tables and the screen, for people
 *     json/          values as JSON and back; texts from elsewhere made safe to show
 *
 * The lowest three know nothing of the daemon or the run. A new type takes a row for each of its
 * commands, TYPE_commands in rows/; what its figures mean goes into description/meaning.c.
 */
#include "tools/ipcctl/arguments.h"
#include "tools/ipcctl/commands/help.h"
#include "tools/ipcctl/output.h"
#include "tools/ipcctl/terminal/text.h"

#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

/* If one of the standard descriptors is closed, the connection must not take its place: writing
 * would go to the daemon. What is opened here fails with EBADF when it is written to. */
static bool fill_descriptors(void)
{
    int fd;
    do {
        fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
    } while (fd >= 0 && fd <= STDERR_FILENO);
    return fd >= 0 && close(fd) == 0;
}

static enum status print_version(void)
{
    (void)printf("ipcctl %s\n", IPCD_VERSION);
    return STATUS_OK;
}

static enum status run(struct context *context, int argc, char **argv)
{
    enum status status = arguments_parse(context, argc, argv);
    if (status != STATUS_OK) {
        bool is_run = context->command != NULL && context->command->run == run_run;
        return is_run ? STATUS_RUN_FAILED : status;
    }
    if (context->options[OPTION_VERSION].is) {
        return print_version();
    }
    return context->options[OPTION_HELP].is ? help_print(context) : context->command->run(context);
}

int main(int argc, char **argv)
{
    struct context context = {0};
    if (!fill_descriptors()) {
        return STATUS_FAILED;
    }
    text_setup();
    enum status status = run(&context, argc, argv);
    status = output_flush(&context, status);
    (void)ipcc_close(context.conn);
    buffer_deinit(&context.message);
    arguments_free(&context);
    return (int)status;
}
