// SPDX-License-Identifier: Apache-2.0
#include "collector/metrics.h"

#include <assert.h>
#include <inttypes.h>
#include <stddef.h>

static const struct {
    const char *name;
    const char *kind;
    const char *help;
} table[] = {
#define X(id, name, kind, help) {name, kind, help},
    METRIC_LIST(X)
#undef X
};
static_assert(sizeof table / sizeof table[0] == METRIC_COUNT, "one row per metric");

static _Atomic int64_t values[METRIC_COUNT];

void metric_add(enum metric metric, int64_t amount)
{
    assert(metric < METRIC_COUNT);
    atomic_fetch_add_explicit(&values[metric], amount, memory_order_relaxed);
}

void metric_set(enum metric metric, int64_t value)
{
    assert(metric < METRIC_COUNT);
    atomic_store_explicit(&values[metric], value, memory_order_relaxed);
}

int64_t metric_get(enum metric metric)
{
    assert(metric < METRIC_COUNT);
    return atomic_load_explicit(&values[metric], memory_order_relaxed);
}

void metrics_format(struct buf *out)
{
    for (size_t i = 0; i < METRIC_COUNT; i++) {
        buf_format(out, "# HELP coldchain_%s %s\n", table[i].name, table[i].help);
        buf_format(out, "# TYPE coldchain_%s %s\n", table[i].name, table[i].kind);
        buf_format(out, "coldchain_%s %" PRId64 "\n", table[i].name,
                   metric_get((enum metric)i));
    }
}
