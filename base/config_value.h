// SPDX-License-Identifier: Apache-2.0
/*
 * config_value - one value of a key: from text, back to text, what it may be, its end.
 *
 * The inner half of base/config.h; programs do not include it. Pure.
 */
#ifndef COLDCHAIN_BASE_CONFIG_VALUE_H
#define COLDCHAIN_BASE_CONFIG_VALUE_H

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"
#include "base/config.h"
#include "base/err.h"

/* One value from one text, not a list. */
bool config_is_scalar(const struct config_key *key);

/*
 * Sets the field of a scalar key, freeing the text that was there. INVALID when the text
 * is none of its type or out of range; the field is then as it was.
 */
MUST_CHECK enum err config_value_parse(const struct config_key *key, void *field,
                                       const char *text);

/* As it would stand in a file; texts in double quotes. */
void config_value_format(const struct config_key *key, const void *field, struct buf *to);
/* A text in double quotes, escaped for YAML. It is UTF-8 already. */
void config_quote(struct buf *to, const char *text);

/* "a whole number from 1 to 65535", "one of low, high". */
void config_value_describe(const struct config_key *key, struct buf *to);

/* The field of `key` in a struct; and the count of a list. */
void *config_field(const struct config_key *key, const void *settings);
size_t *config_count(const struct config_key *key, const void *settings);
/* The items of a list, or the text of a string. */
void *config_pointer(const struct config_key *key, const void *settings);
/* Item `at` of a list of records. */
void *config_record(const struct config_key *key, const void *settings, size_t at);

/* Sets every field to its fallback; the struct is zeroed before. */
void config_fallbacks(const struct config_schema *schema, void *settings);
/* Frees what the fields hold, secrets wiped, and zeroes the struct. */
void config_free(const struct config_schema *schema, void *settings);

/*
 * Whether a table is sound: unique names, help, sections together, fallbacks that parse.
 * Says on the log what is not: for an assert, since it can only be a bug of ours.
 */
bool config_table_is_sound(const struct config_schema *schema);

#endif
