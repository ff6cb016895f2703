// SPDX-License-Identifier: Apache-2.0
/*
 * template - fills ${names} of a text with values, escaped for where they go.
 *
 * Pure. What a template says itself is passed on as it is; only values are escaped.
 */
#ifndef COLDCHAIN_COLLECTOR_NOTIFY_TEMPLATE_H
#define COLDCHAIN_COLLECTOR_NOTIFY_TEMPLATE_H

#include <stddef.h>

#include "base/buf.h"
#include "base/err.h"

#define TEMPLATE_OUT_MAX (256u << 10)

enum template_escape {
    TEMPLATE_PLAIN, /* refuses control characters: headers, arguments */
    TEMPLATE_TEXT,  /* the same but for line breaks: arguments of programs */
    TEMPLATE_JSON,  /* inside a string of JSON */
    TEMPLATE_URL,   /* percent-encoded: queries and forms */
    TEMPLATE_AS_IS  /* texts of our own */
};

struct template_value {
    const char *name;
    const char *text;
};

/*
 * INVALID: an unknown name, a "${" without its end, a value that cannot be escaped.
 * LIMIT: it would be longer than TEMPLATE_OUT_MAX. "$$" is a dollar;
 * "${json:NAME}" escapes for a string of JSON first, and then as all else.
 */
MUST_CHECK enum err template_fill(const char *text, enum template_escape escape,
                                  const struct template_value *values, size_t count,
                                  struct buf *out, struct err_text *why);

/* Percent-encodes all but A-Z a-z 0-9 - _ . ~ */
void template_add_url(const char *text, struct buf *out);

#endif
