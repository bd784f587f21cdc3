/* stall_report: the rows as lines of a table or of JSON; see stall.h. */
#include "tools/ipcbench/stall.h"
#include "tools/ipcbench/fail.h"

#include <jansson.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

enum { NAME_WIDTH = 21, TITLE_WIDTH = 48, TIME_WIDTH = 10, COUNT_WIDTH = 12 };

#define NANOSECONDS 1e6 /* in a millisecond */

void stall_report_begin(void)
{
    (void)printf("%-*s %-*s %*s %*s %*s %*s %*s %*s %*s\n", NAME_WIDTH, "", TITLE_WIDTH, "ms",
                 TIME_WIDTH, "longest", TIME_WIDTH, "p99.9", TIME_WIDTH, "total", TIME_WIDTH, "CPU",
                 TIME_WIDTH, "starved", COUNT_WIDTH, "retries", TIME_WIDTH, "late");
}

static void print_number(double value, int width, int decimals)
{
    if (isnan(value)) {
        (void)printf(" %*s", width, "-");
    } else {
        (void)printf(" %*.*f", width, decimals, value);
    }
}

void stall_report(const struct stall_row *row, const struct stall_result *result)
{
    (void)printf("%-*s %-*s", NAME_WIDTH, row->name, TITLE_WIDTH, row->title);
    print_number(result->waits.longest / NANOSECONDS, TIME_WIDTH, 1);
    print_number(result->waits.p999 / NANOSECONDS, TIME_WIDTH, 1);
    print_number(result->total / NANOSECONDS, TIME_WIDTH, 1);
    print_number(result->cpu / NANOSECONDS, TIME_WIDTH, 1);
    print_number(result->starved / NANOSECONDS, TIME_WIDTH, 1);
    print_number(result->retries, COUNT_WIDTH, 0);
    print_number(result->waits.late / NANOSECONDS, TIME_WIDTH, 1);
    (void)puts(result->given_up ? "  given up" : "");
    (void)fflush(stdout);
}

static void set_number(json_t *object, const char *key, double value)
{
    (void)json_object_set_new(object, key, isnan(value) ? json_null() : json_real(value));
}

int stall_report_json(const struct stall_row *row, const struct stall_result *result)
{
    json_t *object = json_object();
    (void)json_object_set_new(object, "stall", json_string(row->name));
    set_number(object, "longest_ms", result->waits.longest / NANOSECONDS);
    set_number(object, "p999_ms", result->waits.p999 / NANOSECONDS);
    set_number(object, "total_ms", result->total / NANOSECONDS);
    set_number(object, "cpu_ms", result->cpu / NANOSECONDS);
    set_number(object, "starved_ms", result->starved / NANOSECONDS);
    set_number(object, "retries", result->retries);
    set_number(object, "late_ms", result->waits.late / NANOSECONDS);
    (void)json_object_set_new(object, "given_up", json_boolean(result->given_up));
    char *text = json_dumps(object, JSON_COMPACT | JSON_REAL_PRECISION(6));
    json_decref(object);
    if (text == NULL) {
        return fail("out of memory");
    }
    (void)puts(text);
    (void)fflush(stdout);
    free(text);
    return 0;
}
