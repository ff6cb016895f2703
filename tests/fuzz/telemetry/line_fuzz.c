// SPDX-License-Identifier: Apache-2.0
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/utf8.h"
#include "telemetry/line.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* How many separators `text` holds that no backslash and no quotes hide. */
static size_t separators(const char *text, size_t len)
{
    size_t count = 0;
    bool in_text = false;
    for (size_t i = 0; i < len; i++) {
        if (text[i] == '\\' && i + 1 < len &&
            strchr(in_text ? "\"\\" : ",= ", text[i + 1]))
            i++;
        else if (text[i] == '"' && i > 0 && (in_text || text[i - 1] == '='))
            in_text = !in_text;
        else if (!in_text && (text[i] == ' ' || text[i] == ','))
            count++;
    }
    return count;
}

/*
 * Any bytes as names and as text: one line comes out, well-formed, of three spaces and
 * commas (measurement,tag field timestamp), and nothing of the input ends it early.
 */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct buf out = {0};
    struct line_writer line;
    char *any = mem_strndup((const char *)data, size);
    line_begin(&line, &out, "m");
    if (any[0] != '\0') {
        line_tag(&line, any, any);
        line_text(&line, any, any);
    } else {
        line_tag(&line, "k", "v");
        line_text(&line, "k", any);
    }
    if (!line_end(&line, 1) || !utf8_is_valid(out.data, out.len) ||
        memchr(out.data, '\n', out.len) != out.data + out.len - 1 ||
        strlen(out.data) != out.len || separators(out.data, out.len) != 3)
        abort();
    free(any);
    buf_fini(&out);
    return 0;
}
