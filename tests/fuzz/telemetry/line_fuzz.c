// SPDX-License-Identifier: Apache-2.0
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/utf8.h"
#include "telemetry/line.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/*
 * How many separators `text` holds that neither a backslash nor quotes hide. Quotes open
 * a text behind the '=' of a field only, which is past the first separating space.
 */
static size_t separators(const char *text, size_t len)
{
    size_t count = 0;
    bool in_fields = false;
    bool in_text = false;
    bool behind_equals = false;
    for (size_t i = 0; i < len; i++) {
        bool opens_text = in_fields && behind_equals;
        behind_equals = !in_text && text[i] == '=';
        if (text[i] == '\\' && i + 1 < len &&
            strchr(in_text ? "\"\\" : ",= ", text[i + 1]) != NULL) {
            i++;
        } else if (text[i] == '"' && (in_text || opens_text)) {
            in_text = !in_text;
        } else if (!in_text && (text[i] == ' ' || text[i] == ',')) {
            in_fields = in_fields || text[i] == ' ';
            count++;
        }
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
