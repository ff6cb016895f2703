// SPDX-License-Identifier: Apache-2.0
/*
 * answer - JSON in and out, as several handlers want it.
 */
#include <assert.h>
#include <stdlib.h>

#include "base/clock.h"
#include "collector/api/internal.h"

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
