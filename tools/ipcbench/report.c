/* report: the table; see report.h. */
#include "tools/ipcbench/report.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#define BUSY_SHARE 0.1 /* of the servers' running time: what waiting is worth a remark */

enum { TITLE_WIDTH = 27, RATE_WIDTH = 11, TIME_WIDTH = 8 };

const char *target_name(int target)
{
    static const char *const names[TARGET_COUNT] = {"ipcd", "redis", "echo"};
    return names[target];
}

static double figure(const struct row *row, int target, enum figure figure)
{
    return row->measured[target] ? row->results[target].figures[figure] : NAN;
}

static double compare(const struct row *row, int other, enum figure which)
{
    return figure(row, TARGET_IPCD, which) / figure(row, other, which);
}

double row_to_redis(const struct row *row)
{
    static const enum figure choice[] = {FIGURE_RATE, FIGURE_P50, FIGURE_BYTES};
    double ratio = NAN;
    for (size_t i = 0; isnan(ratio) && i < sizeof(choice) / sizeof(choice[0]); i++) {
        ratio = compare(row, TARGET_REDIS, choice[i]);
    }
    return ratio;
}

double row_to_echo(const struct row *row)
{
    return compare(row, TARGET_ECHO, FIGURE_CPU);
}

unsigned row_judge(const struct row *row, struct verdict verdicts[VERDICTS_MAX])
{
    const struct bars *bars = row->load->bars;
    const struct verdict all[VERDICTS_MAX] = {
        {"cpu_us", bars->cpu, figure(row, TARGET_IPCD, FIGURE_CPU), false, false},
        {"rate", bars->rate, figure(row, TARGET_IPCD, FIGURE_RATE), true, false},
        {"rate_to_redis", bars->ratio, compare(row, TARGET_REDIS, FIGURE_RATE), true, false},
        {"p50_us", bars->p50, figure(row, TARGET_IPCD, FIGURE_P50), false, false},
        {"p50_to_redis", bars->p50_ratio, compare(row, TARGET_REDIS, FIGURE_P50), false, false},
        {"bytes", bars->bytes, figure(row, TARGET_IPCD, FIGURE_BYTES), false, false},
        {"rate_to_bare", bars->bare,
         figure(row, TARGET_IPCD, FIGURE_RATE) / figure(row, TARGET_IPCD, FIGURE_BARE), true,
         false},
    };
    unsigned count = 0;
    for (int i = 0; i < VERDICTS_MAX; i++) {
        if (all[i].bar > 0.0) {
            struct verdict verdict = all[i];
            verdict.meets =
                verdict.at_least ? verdict.value >= verdict.bar : verdict.value <= verdict.bar;
            verdicts[count++] = verdict;
        }
    }
    return count;
}

/* A number to the right in a field of `width`; "-" for NAN. */
static void print_number(double value, int width, int decimals)
{
    if (isnan(value)) {
        (void)printf("%*s", width, "-");
    } else {
        (void)printf("%*.*f", width, decimals, value);
    }
}

/* 1234567 as 1,234,567. */
static void print_rate(double value, int width)
{
    char plain[32];
    char grouped[48];
    size_t at = 0;
    if (isnan(value)) {
        (void)printf("%*s", width, "-");
        return;
    }
    size_t len = (size_t)snprintf(plain, sizeof(plain), "%.0f", value);
    for (size_t i = 0; i < len && i < sizeof(plain) - 1; i++) {
        if (i > 0 && (len - i) % 3 == 0) {
            grouped[at++] = ',';
        }
        grouped[at++] = plain[i];
    }
    grouped[at] = '\0';
    (void)printf("%*s", width, grouped);
}

static void print_time(double value)
{
    print_number(value, TIME_WIDTH, value > 0.0 && value < 0.1 ? 4 : value < 10.0 ? 2 : 1);
}

/* Which columns a load has: those of a rate, of times, of memory. Alike within a group. */
static bool has_times(const struct load *load)
{
    return load->run != load_window || (load->depth == 1 && load->connections == 1);
}

static bool has_bytes(const struct load *load)
{
    return load->run == load_memory || load->run == load_idle;
}

/* The columns of one target, as a heading (row NULL) or with a row's figures. */
static void print_target(const struct load *load, const struct row *row, int target)
{
    (void)printf(" |");
    if (has_bytes(load)) {
        row == NULL ? (void)printf("%*s", RATE_WIDTH, "B")
                    : print_number(figure(row, target, FIGURE_BYTES), RATE_WIDTH, 1);
        return;
    }
    row == NULL ? (void)printf("%*s", RATE_WIDTH, "/s")
                : print_rate(figure(row, target, FIGURE_RATE), RATE_WIDTH);
    if (load->run == load_pipe) {
        row == NULL ? (void)printf("%*s", RATE_WIDTH, "bare /s")
                    : print_rate(figure(row, target, FIGURE_BARE), RATE_WIDTH);
        return;
    }
    static const enum figure times[] = {FIGURE_P50, FIGURE_P99, FIGURE_P999, FIGURE_CPU};
    static const char *const headings[] = {"p50", "p99", "p99.9", "CPU"};
    for (int i = has_times(load) ? 0 : 3; i < 4; i++) {
        if (target != TARGET_IPCD && (i == 1 || i == 2)) {
            continue;
        }
        row == NULL ? (void)printf("%*s", TIME_WIDTH, headings[i])
                    : print_time(figure(row, target, times[i]));
    }
}

/* How a bar is called in the table. */
static const char *short_name(const char *name)
{
    static const char *const names[VERDICTS_MAX][2] = {
        {"cpu_us", "CPU"},
        {"rate", "/s"},
        {"rate_to_redis", "to Redis"},
        {"p50_us", "p50"},
        {"p50_to_redis", "p50 to Redis"},
        {"bytes", "B"},
        {"rate_to_bare", "to bare"},
    };
    for (int i = 0; i < VERDICTS_MAX; i++) {
        if (strcmp(names[i][0], name) == 0) {
            return names[i][1];
        }
    }
    return name;
}

static void print_verdicts(const struct row *row)
{
    struct verdict verdicts[VERDICTS_MAX];
    unsigned count = row_judge(row, verdicts);
    for (unsigned i = 0; i < count; i++) {
        const struct verdict *verdict = &verdicts[i];
        (void)printf("%s%s %s %.7g %s", i > 0 ? "; " : "", short_name(verdict->name),
                     verdict->at_least ? "≥" : "≤", verdict->bar,
                     isnan(verdict->value) ? "not measured"
                     : verdict->meets      ? "meets"
                                           : "MISSES");
    }
}

static size_t group_size(const struct load *load)
{
    return strcspn(load->name, "/");
}

static bool same_group(const struct load *a, const struct load *b)
{
    return a != NULL && group_size(a) == group_size(b) &&
           strncmp(a->name, b->name, group_size(a)) == 0;
}

static bool has_column(const struct report *report, const struct load *load, int target)
{
    bool suits = target == TARGET_IPCD || load->run == load_window ||
                 (target == TARGET_REDIS && !load_is_of_library(load));
    return report->shown[target] && suits;
}

/* How wide the columns of a target are. */
static int target_width(const struct load *load, int target)
{
    if (load->run == load_pipe) {
        return 2 * RATE_WIDTH;
    }
    int times = has_bytes(load) ? 0 : !has_times(load) ? 1 : target == TARGET_IPCD ? 4 : 2;
    return RATE_WIDTH + times * TIME_WIDTH;
}

/* Two lines: the targets' names above their columns, and the columns. */
static void print_heading(const struct report *report, const struct load *load)
{
    (void)printf("\n%-*.*s", TITLE_WIDTH, (int)group_size(load), load->name);
    for (int target = 0; target < TARGET_COUNT; target++) {
        if (has_column(report, load, target)) {
            (void)printf(" |%*s", target_width(load, target), target_name(target));
        }
    }
    (void)printf("\n%-*s", TITLE_WIDTH, "");
    for (int target = 0; target < TARGET_COUNT; target++) {
        if (has_column(report, load, target)) {
            print_target(load, NULL, target);
        }
    }
    if (report->shown[TARGET_IPCD] && has_column(report, load, TARGET_REDIS)) {
        (void)printf(" | to Redis");
    }
    if (report->shown[TARGET_IPCD] && has_column(report, load, TARGET_ECHO)) {
        (void)printf(" | to echo");
    }
    (void)printf(report->shown[TARGET_IPCD] ? " | bars\n" : "\n");
}

/* What is said about ipcd beside the others: ratios and bars. */
static void print_comparison(const struct report *report, const struct row *row)
{
    if (!report->shown[TARGET_IPCD]) {
        return;
    }
    if (has_column(report, row->load, TARGET_REDIS)) {
        (void)printf(" |");
        print_number(row_to_redis(row), 9, 2);
    }
    if (has_column(report, row->load, TARGET_ECHO)) {
        (void)printf(" |");
        print_number(row_to_echo(row), 8, 2);
    }
    (void)printf(" | ");
    print_verdicts(row);
}

void report_begin(const struct report *report)
{
    if (!report->json) {
        (void)printf("Medians. Items of 64 bytes unless said, times in microseconds, CPU is the "
                     "server's for one operation.\n%s\n",
                     report->pinned ? "Servers and load are bound to a processor each."
                     : report->together
                         ? "Servers and load are bound to one processor; the bars are for two."
                         : "Nothing is bound to a processor; the bars are for --pin.");
    }
}

/* Every row and target counts alike: what an operation takes differs too much to add it up. */
static void add_waiting(struct report *report, const struct row *row)
{
    for (int target = 0; target < TARGET_COUNT; target++) {
        double run = figure(row, target, FIGURE_CPU);
        double wait = figure(row, target, FIGURE_WAIT);
        if (run > 0.0 && wait >= 0.0) {
            report->waits++;
            report->waited += wait / run;
        }
    }
}

void report_end(const struct report *report)
{
    double share = report->waits > 0 ? report->waited / report->waits : 0.0;
    if (!report->json && report->pinned && share > BUSY_SHARE) {
        (void)printf(
            "\nThe machine was busy: for each second that the servers ran they waited "
            "%.2f s for their processor.\nRates and times are not to be relied on, and CPU "
            "only roughly.\n",
            share);
    }
}

void report_row(struct report *report, const struct row *row)
{
    add_waiting(report, row);
    if (report->json) {
        (void)report_json(report, row);
        return;
    }
    if (!same_group(report->last, row->load)) {
        print_heading(report, row->load);
    }
    report->last = row->load;
    (void)printf("%-*s", TITLE_WIDTH, row->load->title);
    for (int target = 0; target < TARGET_COUNT; target++) {
        if (has_column(report, row->load, target)) {
            print_target(row->load, row, target);
        }
    }
    print_comparison(report, row);
    (void)printf("\n");
    (void)fflush(stdout);
}
