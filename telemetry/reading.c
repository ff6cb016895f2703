// SPDX-License-Identifier: Apache-2.0
#include "telemetry/reading.h"

#include <assert.h>
#include <stddef.h>
#include <string.h>

static_assert(sizeof(struct reading) <= 32, "a pack of 20000 readings stays small");

static const char *const names[] = {
#define X(name, text) [QUALITY_##name] = text,
    QUALITY_LIST(X)
#undef X
};

static bool id_char(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') ||
           c == '_' || c == '-';
}

bool id_is_valid(const char *text)
{
    size_t len = 0;
    while (len <= ID_MAX && id_char(text[len]))
        len++;
    return len >= 1 && len <= ID_MAX && text[len] == '\0';
}

const char *quality_name(enum quality quality)
{
    assert((size_t)quality < sizeof names / sizeof names[0]);
    return names[quality];
}

bool quality_parse(enum quality *quality, const char *name)
{
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        if (strcmp(names[i], name) == 0) {
            *quality = (enum quality)i;
            return true;
        }
    }
    return false;
}
