// SPDX-License-Identifier: Apache-2.0
/*
 * state_tables - what the files of state share with each other, and with their tests.
 */
#ifndef COLDCHAIN_COLLECTOR_STORE_STATE_TABLES_H
#define COLDCHAIN_COLLECTOR_STORE_STATE_TABLES_H

#include <stdbool.h>

#include "collector/store/db.h"

struct state {
    struct db *db;
    bool has_past_in_log; /* data of people that was erased or changed; state_forget() */
};

/* Runs one writing statement of a batch. */
MUST_CHECK enum err state_write(struct state *state, const char *sql,
                                const struct db_value *args, size_t count);

/*
 * For "INSERT ... ON CONFLICT DO NOTHING": EXISTS when it did nothing. A failing
 * constraint would be an error inside of the transaction instead.
 */
MUST_CHECK enum err state_insert(struct state *state, const char *sql,
                                 const struct db_value *args, size_t count);

/* The argument of LIMIT: 1..STATE_PAGE_MAX. */
struct db_value state_limit(size_t limit);

#endif
