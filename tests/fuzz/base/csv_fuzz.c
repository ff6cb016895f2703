// SPDX-License-Identifier: Apache-2.0
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/csv.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* A heap copy, so that one byte read too far is seen. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char *const specs[] = {"time=time,temperature=temperature",
                                        "time=#1,v=#2", "time=#1@+08:00,v=#2@F"};
    char *text = malloc(size + 1);
    if (text == NULL)
        return 0;
    memcpy(text, data, size);
    for (size_t i = 0; i < sizeof specs / sizeof specs[0]; i++) {
        static struct csv csv;
        struct csv_map map;
        struct err_text why;
        csv_init(&csv, text, size);
        if (csv_map_parse(&map, specs[i], &why) != ERR_OK)
            abort();
        if (csv_map_bind(&map, &csv, &why) != ERR_OK)
            continue;
        for (enum err err = ERR_OK; err != ERR_NOT_FOUND;) {
            int64_t time_ms;
            double values[CSV_COLUMNS_MAX];
            size_t before = csv.at;
            err = csv_next(&csv, &why);
            if (err != ERR_NOT_FOUND && csv.at <= before)
                abort(); /* no progress */
            if (err == ERR_OK &&
                csv_map_row(&map, &csv, &time_ms, values, &why) == ERR_OK)
                continue;
        }
    }
    free(text);
    return 0;
}
