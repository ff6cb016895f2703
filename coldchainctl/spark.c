// SPDX-License-Identifier: Apache-2.0
#include "coldchainctl/spark.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

static const char *const blocks[SPARK_HEIGHTS] = {"▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"};
static const char *const plain[SPARK_HEIGHTS] = {"_", ".", ":", "-", "=", "+", "*", "#"};

void spark_draw(struct buf *out, const double *values, size_t count, double calm,
                bool is_utf8)
{
    double least = INFINITY;
    double most = -INFINITY;
    for (size_t i = 0; i < count; i++) {
        least = fmin(least, values[i]); /* passes over NaN */
        most = fmax(most, values[i]);
    }
    double range = fmax(most - least, calm);
    double bottom = (most + least - range) / 2;
    for (size_t i = 0; i < count; i++) {
        if (!isfinite(values[i])) {
            buf_text(out, " ");
            continue;
        }
        double at = range > 0 ? (values[i] - bottom) / range * SPARK_HEIGHTS
                              : SPARK_HEIGHTS / 2.0;
        size_t height = at < 0 ? 0 : at >= SPARK_HEIGHTS ? SPARK_HEIGHTS - 1 : (size_t)at;
        buf_text(out, is_utf8 ? blocks[height] : plain[height]);
    }
}

const char *spark_height(size_t height, bool is_utf8)
{
    assert(height < SPARK_HEIGHTS);
    return is_utf8 ? blocks[height] : plain[height];
}

bool spark_is_utf8(void)
{
    static const char *const variables[] = {"LC_ALL", "LC_CTYPE", "LANG"};
    for (size_t i = 0; i < sizeof variables / sizeof variables[0]; i++) {
        const char *locale = getenv(variables[i]);
        if (locale == NULL || locale[0] == '\0')
            continue;
        const char *dot = strchr(locale, '.');
        return dot != NULL && (strncasecmp(dot + 1, "UTF-8", 5) == 0 ||
                               strncasecmp(dot + 1, "UTF8", 4) == 0);
    }
    return false;
}
