// SPDX-License-Identifier: Apache-2.0
/*
 * answer - JSON in and out, as several handlers want it.
 */
#include <assert.h>
#include <stdlib.h>

#include "base/clock.h"
#include "collector/api/internal.h"
#include "collector/api/routes.h"

#define PAGE_DEFAULT 100
#define PAGE_MAX     1000

json_t *api_object(struct api_call *call)
{
    json_t *body = json_loadb(call->body.data != NULL ? call->body.data : "",
                              call->body.len, JSON_REJECT_DUPLICATES, NULL);
    if (json_is_object(body))
        return body;
    json_decref(body);
    api_refuse(call, PROBLEM_BODY_NOT_UNDERSTOOD, "example", "{\"name\":\"value\"}",
               NULL);
    return NULL;
}

const char *api_text(const json_t *object, const char *key)
{
    return json_string_value(json_object_get(object, key));
}

void api_dump(struct api_call *call, json_t *root)
{
    char *text = json_dumps(root, JSON_COMPACT | JSON_REAL_PRECISION(17));
    assert(text != NULL);
    buf_text(&call->out, text);
    free(text);
    json_decref(root);
}

void api_put_time(json_t *object, const char *key, int64_t ms)
{
    char text[CLOCK_ISO_MAX];
    json_object_set_new(object, key,
                        ms != 0 ? json_string(clock_format_iso(text, ms)) : json_null());
}

bool api_read_page(struct api_call *call, uint64_t *limit, const char **after)
{
    *after = api_param(call, "after");
    if (*after == NULL)
        *after = "";
    return api_read_number(call, "limit", 1, PAGE_MAX, PAGE_DEFAULT, limit);
}

void api_answer_page(struct api_call *call, const char *name, json_t *list,
                     uint64_t limit, enum err err)
{
    size_t count = json_array_size(list);
    json_t *next = json_null();
    if (err != ERR_OK) {
        json_decref(list);
        api_store_problem(call, err);
        return;
    }
    if (count == limit)
        next = json_incref(json_object_get(json_array_get(list, count - 1), "id"));
    api_dump(call, json_pack("{s:o, s:o}", name, list, "next", next));
}
