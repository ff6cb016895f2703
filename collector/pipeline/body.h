// SPDX-License-Identifier: Apache-2.0
/*
 * body - members of an entity's JSON, as state.db, the seed and the commands have it.
 *
 * What is checked before it gets there: a member that is missing or of another type is
 * told by its value. Pure.
 */
#ifndef COLDCHAIN_COLLECTOR_PIPELINE_BODY_H
#define COLDCHAIN_COLLECTOR_PIPELINE_BODY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <jansson.h>

/* Missing is "". False when it does not fit. */
bool body_text(const json_t *object, const char *key, char *to, size_t size);
/* Missing is NaN. */
double body_number(const json_t *object, const char *key);
/* Missing is 0. */
int64_t body_ms(const json_t *object, const char *key);

#endif
