// SPDX-License-Identifier: Apache-2.0
/*
 * schema - what our files look like: every version there ever was, from the embedded
 * schema/NAME-VERSION.sql. Constant; any thread.
 */
#ifndef COLDCHAIN_COLLECTOR_STORE_SCHEMA_H
#define COLDCHAIN_COLLECTOR_STORE_SCHEMA_H

#include "collector/store/db.h"

extern const struct db_schema state_schema;   /* state.db */
extern const struct db_schema history_schema; /* history.db */
extern const struct db_schema month_schema;   /* history-YYYY-MM.db */

#endif
