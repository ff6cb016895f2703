// SPDX-License-Identifier: Apache-2.0
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/tz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define YEAR_MS   INT64_C(31556952000)
#define LARGEST_S (25 * 3600)

static void use(const struct tz *tz)
{
    for (int i = -2; i < 100; i++) {
        int64_t ms = i * YEAR_MS;
        struct tz_local local = tz_local(tz, ms);
        if (local.minute < 0 || local.minute >= 1440 || local.weekday < 0 ||
            local.weekday > 6 || labs(tz_offset_s(tz, ms)) > LARGEST_S)
            abort();
        (void)tz_wall_ms(tz, local.day, local.minute);
    }
}

/* As a file, and as a rule; copies on the heap, so that one byte read too far is seen. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct tz tz;
    char *text = malloc(size + 1);
    char *bytes = malloc(size + (size == 0));
    if (text != NULL && bytes != NULL) {
        if (size > 0)
            memcpy(bytes, data, size);
        memcpy(text, bytes, size);
        text[size] = '\0';
        if (tz_parse_file(&tz, bytes, size) == ERR_OK)
            use(&tz);
        if (tz_parse(&tz, text) == ERR_OK)
            use(&tz);
    }
    free(text);
    free(bytes);
    return 0;
}
