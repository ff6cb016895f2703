// SPDX-License-Identifier: Apache-2.0
/* Values go into templates without getting out of the strings that they stand in. */
#include "collector/notify/template.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool is_true)
{
    if (!is_true)
        abort();
}

/* What is escaped reads back as it was. */
static void json_holds(const struct template_value *value)
{
    struct buf out = {0};
    if (template_fill("\"${v}\"", TEMPLATE_JSON, value, 1, &out, NULL) == ERR_OK) {
        json_t *root = json_loadb(out.data, out.len, JSON_DECODE_ANY, NULL);
        must(json_is_string(root) && strcmp(json_string_value(root), value->text) == 0);
        json_decref(root);
    }
    buf_fini(&out);
}

/* Nothing that could begin another field or another header is left. */
static void others_hold(const struct template_value *value)
{
    struct buf out = {0};
    if (template_fill("${v}", TEMPLATE_URL, value, 1, &out, NULL) == ERR_OK)
        must(out.len == 0 || strpbrk(out.data, "&=?#/ \r\n") == NULL);
    buf_clear(&out);
    if (template_fill("${v}", TEMPLATE_PLAIN, value, 1, &out, NULL) == ERR_OK)
        must(out.len == 0 || strpbrk(out.data, "\r\n") == NULL);
    buf_fini(&out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *text = mem_strndup((const char *)data, size);
    const struct template_value value = {"v", text};
    json_holds(&value);
    others_hold(&value);
    for (int escape = TEMPLATE_PLAIN; escape <= TEMPLATE_AS_IS; escape++) {
        struct buf out = {0};
        enum err err =
            template_fill(text, (enum template_escape)escape, &value, 1, &out, NULL);
        must(err != ERR_OK || out.len <= TEMPLATE_OUT_MAX);
        buf_fini(&out);
    }
    free(text);
    return 0;
}
