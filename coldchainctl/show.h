// SPDX-License-Identifier: Apache-2.0
/*
 * show - members of the API's answers as people read them.
 *
 * Texts are borrowed from the JSON or static; a member that is absent shows as "-", so
 * that an older or newer collector costs a cell and not the answer. Pure.
 */
#ifndef COLDCHAIN_COLDCHAINCTL_SHOW_H
#define COLDCHAIN_COLDCHAINCTL_SHOW_H

#include <stdbool.h>
#include <stdint.h>

#include <jansson.h>

#include "base/err.h"

#define SHOW_SIZE 48

/* "-" when it is absent, null or "". */
const char *show_text(const json_t *object, const char *key);
/* The shortest text that reads back as the same number; "-" when there is none. */
const char *show_number(char text[SHOW_SIZE], const json_t *object, const char *key);
/* "2026-11-23 08:00:00Z" */
const char *show_time(char text[SHOW_SIZE], const json_t *object, const char *key);
/* "8s", "12m", "3h20m", "5d" of a member in milliseconds. */
const char *show_age(char text[SHOW_SIZE], const json_t *object, const char *key);
const char *show_yes_no(const json_t *object, const char *key);
/* A member that is one of the API's own words, in the language of whoever reads; `list`
 * is that of say_of, NULL: none. */
const char *show_word(const json_t *object, const char *key, const char *list);

/* Prints one line: the name in so many columns, then the text; both are said by say(). */
void show_fact(int columns, const char *name, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

/* Prints the JSON, numbers as short as they were. */
void show_value(const json_t *value);
/* The same with an end of line, and takes it. */
void show_json(json_t *value);
/* The warnings of an answer, each in a line on stderr, behind "PLACE: " unless NULL. */
void show_warnings(const char *place, const json_t *answer);

/*
 * The --from and --to of the API out of what people write: RFC 3339, milliseconds, or
 * "6h" for so long ago. NULL gives NULL; the result is owned by the caller.
 */
MUST_CHECK enum err show_parse_time(char **text, const char *option, const char *given,
                                    int64_t now_ms, struct err_text *why);

#endif
