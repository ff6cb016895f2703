// SPDX-License-Identifier: Apache-2.0
#include "coldchainctl/band_bar.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

#define LABEL_WIDTH  7
#define BESIDE       (2 * (LABEL_WIDTH + 2)) /* both labels, a blank and a line */
#define COLUMNS_MIN  20
#define MARGIN_SHARE 0.08 /* of the scale, on either side */
#define MARGIN_LEAST 0.5

struct scale {
    double from;
    double to;
};

static void include(struct scale *scale, double value)
{
    if (!isfinite(value))
        return;
    scale->from = fmin(scale->from, value);
    scale->to = fmax(scale->to, value);
}

static struct scale scale_of(const struct band_bar *bar)
{
    struct scale scale = {bar->middle, bar->middle};
    include(&scale, bar->low);
    include(&scale, bar->high);
    include(&scale, bar->least);
    include(&scale, bar->most);
    for (size_t i = 0; i < bar->mark_count; i++)
        include(&scale, bar->marks[i]);
    double margin = fmax(MARGIN_SHARE * (scale.to - scale.from), MARGIN_LEAST);
    return (struct scale){scale.from - margin, scale.to + margin};
}

static size_t column_of(const struct scale *scale, size_t columns, double value)
{
    assert(columns > 1);
    double at = (value - scale->from) / (scale->to - scale->from) * (double)(columns - 1);
    return (size_t)lround(fmax(fmin(at, (double)(columns - 1)), 0));
}

static void fill(char *line, size_t from, size_t to, char with)
{
    for (size_t i = from; i <= to; i++)
        line[i] = with;
}

static void put_band(char *line, size_t columns, const struct scale *scale,
                     const struct band_bar *bar)
{
    bool has_low = isfinite(bar->low);
    bool has_high = isfinite(bar->high);
    size_t low = has_low ? column_of(scale, columns, bar->low) : 0;
    size_t high = has_high ? column_of(scale, columns, bar->high) : columns - 1;
    if (!has_low && !has_high)
        return;
    fill(line, low, high, '.');
    if (has_low)
        line[low] = '[';
    if (has_high)
        line[high] = ']';
}

/* What is in the way of what comes later gives way to it. */
static void put_estimate(char *line, size_t columns, const struct scale *scale,
                         const struct band_bar *bar)
{
    double least = isfinite(bar->least) ? bar->least : bar->middle;
    double most = isfinite(bar->most) ? bar->most : bar->middle;
    fill(line, column_of(scale, columns, least), column_of(scale, columns, most), '=');
    for (size_t i = 0; i < bar->mark_count; i++)
        if (isfinite(bar->marks[i]))
            line[column_of(scale, columns, bar->marks[i])] = '*';
    line[column_of(scale, columns, bar->middle)] = 'O';
}

static const char *as_utf8(char c)
{
    switch (c) {
    case '.':
        return "·";
    case '=':
        return "━";
    case 'O':
        return "●";
    case '*':
        return "◆";
    case '[':
        return "[";
    case ']':
        return "]";
    default:
        return " ";
    }
}

void band_bar_draw(struct buf *out, const struct band_bar *bar, size_t columns,
                   bool is_utf8)
{
    if (!isfinite(bar->middle))
        return;
    size_t width = columns > BESIDE + COLUMNS_MIN ? columns - BESIDE : COLUMNS_MIN;
    struct scale scale = scale_of(bar);
    char *line = mem_alloc(width + 1);
    memset(line, ' ', width);
    line[width] = '\0';
    put_band(line, width, &scale, bar);
    put_estimate(line, width, &scale, bar);
    buf_format(out, "%*.1f |", LABEL_WIDTH, scale.from);
    for (size_t i = 0; i < width; i++)
        if (is_utf8)
            buf_text(out, as_utf8(line[i]));
        else
            buf_add(out, &line[i], 1);
    buf_format(out, "| %.1f", scale.to);
    free(line);
}
