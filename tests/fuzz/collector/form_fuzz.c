// SPDX-License-Identifier: Apache-2.0
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "collector/api/form.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* As a browser would send it: every byte but letters and digits as %XX. */
static void put_encoded(struct buf *out, const char *text)
{
    for (; *text != '\0'; text++) {
        unsigned char byte = (unsigned char)*text;
        if ((byte >= 'a' && byte <= 'z') || (byte >= '0' && byte <= '9'))
            buf_add(out, text, 1);
        else
            buf_format(out, "%%%02X", (unsigned)byte);
    }
}

/*
 * What is taken is a bounded object of texts without NUL, and the same when a browser
 * sends it back.
 */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct buf again = {0};
    const char *key;
    json_t *value;
    json_t *fields = form_parse((const char *)data, size);
    if (fields == NULL)
        return 0;
    if (json_object_size(fields) > FORM_FIELDS_MAX)
        abort();
    json_object_foreach(fields, key, value)
    {
        if (key[0] == '\0' || !json_is_string(value) ||
            json_string_length(value) != strlen(json_string_value(value)))
            abort();
        if (again.len > 0)
            buf_text(&again, "&");
        put_encoded(&again, key);
        buf_text(&again, "=");
        put_encoded(&again, json_string_value(value));
    }
    json_t *back = form_parse(again.data != NULL ? again.data : "", again.len);
    if (!json_equal(fields, back))
        abort();
    json_decref(back);
    json_decref(fields);
    buf_fini(&again);
    return 0;
}
