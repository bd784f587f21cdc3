/* report_json: one load as one line of JSON; see report.h. */
#include "tools/ipcbench/report.h"
#include "tools/ipcbench/fail.h"

#include <jansson.h>
#include <math.h>
#include <stdio.h>

static json_t *json_number_or_null(double value)
{
    return isnan(value) ? json_null() : json_real(value);
}

static json_t *figures_of(const struct measurement *measurement)
{
    json_t *object = json_object();
    for (enum figure i = 0; i < FIGURE_COUNT; i++) {
        if (!isnan(measurement->figures[i])) {
            (void)json_object_set_new(object, figure_name(i), json_real(measurement->figures[i]));
        }
    }
    return object;
}

static json_t *bars_of(const struct row *row)
{
    struct verdict verdicts[VERDICTS_MAX];
    unsigned count = row_judge(row, verdicts);
    json_t *array = json_array();
    for (unsigned i = 0; i < count; i++) {
        json_t *bar =
            json_pack("{s:s, s:s, s:f, s:o, s:b}", "figure", verdicts[i].name, "must_be",
                      verdicts[i].at_least ? "at least" : "at most", "bar", verdicts[i].bar,
                      "value", json_number_or_null(verdicts[i].value), "meets", verdicts[i].meets);
        (void)json_array_append_new(array, bar);
    }
    return array;
}

int report_json(const struct report *report, const struct row *row)
{
    const struct load *load = row->load;
    json_t *object = json_pack("{s:s, s:i, s:i, s:i, s:i, s:s}", "load", load->name, "outstanding",
                               (int)load->depth, "connections", (int)load->connections, "payload",
                               (int)load->payload, "runs", (int)row->runs, "processors",
                               report->pinned     ? "two"
                               : report->together ? "one"
                                                  : "free");
    for (int target = 0; target < TARGET_COUNT; target++) {
        if (row->measured[target]) {
            (void)json_object_set_new(object, target_name(target),
                                      figures_of(&row->results[target]));
        }
    }
    (void)json_object_set_new(object, "to_redis", json_number_or_null(row_to_redis(row)));
    (void)json_object_set_new(object, "to_echo", json_number_or_null(row_to_echo(row)));
    (void)json_object_set_new(object, "bars", bars_of(row));
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
