/* findings: see findings.h. */
#include "tools/ipcbench/findings.h"
#include "tools/ipcbench/fail.h"

#include <jansson.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void findings_figure(struct findings *findings, const char *name, const char *unit, double value)
{
    unsigned i = findings->nfigures++;
    findings->figures[i].name = name;
    findings->figures[i].unit = unit;
    findings->figures[i].value = value;
}

void findings_bar(struct findings *findings, const char *name, double value, double bar,
                  bool at_least)
{
    unsigned i = findings->nbars++;
    findings->bars[i].name = name;
    findings->bars[i].value = value;
    findings->bars[i].bar = bar;
    findings->bars[i].at_least = at_least;
}

static bool meets(const struct findings *findings, unsigned i)
{
    double value = findings->bars[i].value;
    return findings->bars[i].at_least ? value >= findings->bars[i].bar
                                      : value <= findings->bars[i].bar;
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

static void report_words(const struct findings *findings, const char *name, const char *title)
{
    (void)printf("\n%s: %s\n   ", name, title);
    for (unsigned i = 0; i < findings->nfigures; i++) {
        (void)printf("%s", i > 0 ? ", " : " ");
        print_name(findings->figures[i].name);
        (void)putchar(' ');
        print_value(findings->figures[i].value);
        (void)printf("%s%s", findings->figures[i].unit[0] == '/' ? "" : " ",
                     findings->figures[i].unit);
    }
    (void)putchar('\n');
    for (unsigned i = 0; i < findings->nbars; i++) {
        (void)printf("    ");
        print_name(findings->bars[i].name);
        (void)putchar(' ');
        print_value(findings->bars[i].value);
        if (findings->bars[i].bar > 0.0) {
            (void)printf(" (to be %s %.1f: %s)",
                         findings->bars[i].at_least ? "at least" : "at most", findings->bars[i].bar,
                         meets(findings, i) ? "met" : "MISSED");
        }
        (void)putchar('\n');
    }
    (void)fflush(stdout);
}

static json_t *number(double value)
{
    return isnan(value) ? json_null() : json_real(value);
}

static int report_json(const struct findings *findings, const char *name)
{
    json_t *object = json_object();
    (void)json_object_set_new(object, "row", json_string(name));
    for (unsigned i = 0; i < findings->nfigures; i++) {
        (void)json_object_set_new(object, findings->figures[i].name,
                                  number(findings->figures[i].value));
    }
    json_t *bars = json_array();
    for (unsigned i = 0; i < findings->nbars; i++) {
        (void)json_object_set_new(object, findings->bars[i].name, number(findings->bars[i].value));
        if (findings->bars[i].bar > 0.0) {
            (void)json_array_append_new(bars, json_pack("{sssfsb}", "name", findings->bars[i].name,
                                                        "bar", findings->bars[i].bar, "meets",
                                                        meets(findings, i)));
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

int findings_report(const struct findings *findings, const char *name, const char *title, bool json)
{
    if (json) {
        return report_json(findings, name);
    }
    report_words(findings, name, title);
    return 0;
}
