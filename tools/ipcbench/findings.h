/*
 * findings: what a row of a table has found out: figures for whoever reads, and how ipcd stands to
 * what it shall reach.
 */
#pragma once

#include <stdbool.h>

enum { FINDINGS_FIGURES_MAX = 12, FINDINGS_BARS_MAX = 4 };

struct findings {
    struct {
        const char *name; /* "redis", "ping_p99" */
        const char *unit; /* "/s" */
        double value;     /* NAN: not measured */
    } figures[FINDINGS_FIGURES_MAX];
    unsigned nfigures;
    struct {
        const char *name; /* "to_redis" */
        double value;     /* NAN: not measured */
        double bar;       /* 0: none, the value is told all the same */
        bool at_least;
    } bars[FINDINGS_BARS_MAX];
    unsigned nbars;
};

/* Names and units are constants; there is room for as many as a row has. */
void findings_figure(struct findings *findings, const char *name, const char *unit, double value);
void findings_bar(struct findings *findings, const char *name, double value, double bar,
                  bool at_least);

/* Prints a row, as a paragraph or as a line of JSON. 0, or -1 with a sentence. */
int findings_report(const struct findings *findings, const char *name, const char *title,
                    bool json);
