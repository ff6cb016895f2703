// SPDX-License-Identifier: Apache-2.0
#include "collector/api/form.h"

#include <stdbool.h>
#include <string.h>

#include "base/buf.h"
#include "base/crypto.h"

/* Up to `stop`, which is passed over. False: it is broken. */
static bool take(const char **at, const char *end, char stop, struct buf *out)
{
    while (*at < end && **at != stop) {
        char byte = *(*at)++;
        if (byte == '+')
            byte = ' ';
        if (byte == '%') {
            char digits[3] = {0};
            if (end - *at < 2)
                return false;
            memcpy(digits, *at, 2);
            *at += 2;
            if (!crypto_unhex(&byte, 1, digits))
                return false;
        }
        if (byte == '\0')
            return false;
        buf_add(out, &byte, 1);
    }
    *at += *at < end;
    return true;
}

static bool take_field(const char **at, const char *end, json_t *fields)
{
    struct buf name = {0};
    struct buf value = {0};
    const char *pair_end = memchr(*at, '&', (size_t)(end - *at));
    pair_end = pair_end != NULL ? pair_end : end;
    bool is_good =
        take(at, pair_end, '=', &name) && take(at, pair_end, '&', &value) && name.len > 0;
    is_good = is_good && json_object_get(fields, name.data) == NULL;
    /* No UTF-8: no text, and nothing is set. */
    is_good = is_good && json_object_set_new(fields, name.data,
                                             json_stringn(value.len > 0 ? value.data : "",
                                                          value.len)) == 0;
    *at = pair_end + (pair_end < end);
    buf_fini(&name);
    buf_fini(&value);
    return is_good;
}

json_t *form_parse(const char *data, size_t len)
{
    json_t *fields = json_object();
    const char *end = data + len;
    for (const char *at = data; at < end;) {
        if (json_object_size(fields) == FORM_FIELDS_MAX ||
            !take_field(&at, end, fields)) {
            json_decref(fields);
            return NULL;
        }
    }
    return fields;
}
