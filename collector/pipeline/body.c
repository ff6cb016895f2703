// SPDX-License-Identifier: Apache-2.0
#include "collector/pipeline/body.h"

#include <math.h>
#include <stdio.h>

bool body_text(const json_t *object, const char *key, char *to, size_t size)
{
    const char *text = json_string_value(json_object_get(object, key));
    if (text == NULL)
        text = "";
    return (size_t)snprintf(to, size, "%s", text) < size;
}

double body_number(const json_t *object, const char *key)
{
    const json_t *value = json_object_get(object, key);
    return json_is_number(value) ? json_number_value(value) : (double)NAN;
}

int64_t body_ms(const json_t *object, const char *key)
{
    return json_integer_value(json_object_get(object, key));
}
