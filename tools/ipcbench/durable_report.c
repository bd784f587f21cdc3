/* durable_report: a row as a paragraph or as a line of JSON; see durable.h. */
#include "tools/ipcbench/durable.h"
#include "tools/ipcbench/fail.h"

#include <jansson.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static bool meets(const struct durable_result *result, unsigned i)
{
    double value = result->bars[i].value;
    return result->bars[i].at_least ? value >= result->bars[i].bar : value <= result->bars[i].bar;
}

void durable_report_begin(const struct durable *durable)
{
    if (durable->json) {
        return;
    }
    (void)printf("Everything is on disk before it is answered; medians of %u turns of %.2f s, "
                 "ratios within a turn.\n",
                 durable->rounds, (double)durable->slice / 1e9);
    for (int i = 0; i < DURABLE_TARGETS; i++) {
        if (!durable->there[i]) {
            (void)printf("Not installed, and left out: %s.\n",
                         durable_target_name((enum durable_target)i));
        }
    }
}

/* "longest_ping_ms" as words. */
static void print_name(const char *name)
{
    for (const char *at = name; *at != '\0'; at++) {
        (void)putchar(*at == '_' ? ' ' : *at);
    }
}

static void print_value(double value)
{
    if (isnan(value)) {
        (void)printf("-");
    } else {
        (void)printf("%.*f", value < 10.0 ? 2 : value < 100.0 ? 1 : 0, value);
    }
}

static void report_words(const struct durable_row *row, const struct durable_result *result)
{
    (void)printf("\n%s: %s\n   ", row->name, row->title);
    for (unsigned i = 0; i < result->nfigures; i++) {
        (void)printf("%s", i > 0 ? ", " : " ");
        print_name(result->figures[i].name);
        (void)putchar(' ');
        print_value(result->figures[i].value);
        (void)printf("%s%s", result->figures[i].unit[0] == '/' ? "" : " ", result->figures[i].unit);
    }
    (void)putchar('\n');
    for (unsigned i = 0; i < result->nbars; i++) {
        (void)printf("    ");
        print_name(result->bars[i].name);
        (void)putchar(' ');
        print_value(result->bars[i].value);
        if (result->bars[i].bar > 0.0) {
            (void)printf(" (to be %s %.1f: %s)", result->bars[i].at_least ? "at least" : "at most",
                         result->bars[i].bar, meets(result, i) ? "met" : "MISSED");
        }
        (void)putchar('\n');
    }
    (void)fflush(stdout);
}

static json_t *number(double value)
{
    return isnan(value) ? json_null() : json_real(value);
}

static int report_json(const struct durable_row *row, const struct durable_result *result)
{
    json_t *object = json_object();
    (void)json_object_set_new(object, "row", json_string(row->name));
    for (unsigned i = 0; i < result->nfigures; i++) {
        (void)json_object_set_new(object, result->figures[i].name,
                                  number(result->figures[i].value));
    }
    json_t *bars = json_array();
    for (unsigned i = 0; i < result->nbars; i++) {
        (void)json_object_set_new(object, result->bars[i].name, number(result->bars[i].value));
        if (result->bars[i].bar > 0.0) {
            (void)json_array_append_new(bars,
                                        json_pack("{sssfsb}", "name", result->bars[i].name, "bar",
                                                  result->bars[i].bar, "meets", meets(result, i)));
        }
    }
    (void)json_object_set_new(object, "bars", bars);
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

int durable_report(const struct durable *durable, const struct durable_row *row,
                   const struct durable_result *result)
{
    if (durable->json) {
        return report_json(row, result);
    }
    report_words(row, result);
    return 0;
}
