// SPDX-License-Identifier: Apache-2.0
/*
 * history_query - one look at history: its series, the files of its range and what waits
 * in recent, all as of one moment. Used by history_query() and history_count() only.
 */
#ifndef COLDCHAIN_COLLECTOR_STORE_HISTORY_QUERY_H
#define COLDCHAIN_COLLECTOR_STORE_HISTORY_QUERY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "collector/store/db.h"
#include "collector/store/history.h"
#include "collector/store/history_tables.h"
#include "collector/store/month.h"
#include "collector/store/recent.h"

struct history_reader {
    char *dir;
    struct db *db;
};

struct query_series {
    int64_t id;
    char *channel;
};

struct query_file {
    int month;
    struct db *db;
    int64_t *through; /* of each series; -1: not asked yet */
};

struct query_recent {
    size_t place; /* of its series in the query */
    int64_t row;
    size_t part; /* which reading of its message */
    struct sample sample;
};

struct query {
    struct history_reader *reader;
    int64_t from_ms;
    int64_t to_ms;
    int64_t deadline_ms;
    int64_t device;
    struct query_series series[HISTORY_SERIES_MAX]; /* by channel */
    size_t series_count;
    struct query_file *files; /* the odd one first, then by month */
    size_t file_count;
    struct query_recent *recents; /* by time, series, row */
    size_t recent_count;
    size_t recent_capacity;
};

/* query_end() follows also after a failure. LIMIT: too many series. */
MUST_CHECK enum err query_begin(struct query *query, struct history_reader *reader,
                                const struct history_range *range);
void query_end(struct query *query);
/* The first `keep` readings in range that no file of a month holds yet; 0: only how many.
 */
MUST_CHECK enum err query_load_recents(struct query *query, size_t keep);
bool query_is_late(const struct query *query);

#endif
