// SPDX-License-Identifier: Apache-2.0
#include "coldchainctl/course.h"

#include <assert.h>
#include <math.h>

#include "coldchainctl/spark.h"

#define ROWS    8   /* of values, and one more when the limit lies between two */
#define FLAT    1.0 /* a range below this is no mountain */
#define EIGHTH  (1.0 / SPARK_HEIGHTS)
#define NOTHING 1e-9

/* Rows count from the bottom; the line of the limit is none of them. */
struct frame {
    double least; /* of the values */
    double most;
    double bottom;
    double row; /* how much of the value is one */
    int rows;
    int limit; /* the line goes below this row; -1: none */
};

static struct frame fit(const struct course *course)
{
    struct frame frame = {
        .least = (double)NAN, .most = (double)NAN, .rows = ROWS + 1, .limit = -1};
    for (size_t i = 0; i < course->count; i++) {
        frame.least = fmin(frame.least, course->values[i]); /* passes over NaN */
        frame.most = fmax(frame.most, course->values[i]);
    }
    double low = fmin(frame.least, course->limit);
    double high = fmax(frame.most, course->limit);
    frame.row = fmax(high - low, FLAT) / ROWS;
    frame.bottom = low - frame.row * EIGHTH;
    if (isfinite(course->limit)) {
        frame.limit = (int)ceil((course->limit - low) / frame.row + EIGHTH);
        frame.bottom = course->limit - frame.limit * frame.row;
        frame.rows = frame.limit + (int)fmax(ceil((high - course->limit) / frame.row), 1);
    }
    assert(frame.row > 0);
    return frame;
}

static void put_label(struct buf *out, double value, const char *edge)
{
    if (isfinite(value))
        buf_format(out, "%*.1f %s", COURSE_LABEL - 2, value, edge);
    else
        buf_format(out, "%*s%s", COURSE_LABEL - 1, "", edge);
}

static void put_cell(struct buf *out, const struct frame *frame, int row, double value,
                     bool is_utf8)
{
    double height = (value - frame->bottom) / frame->row - row;
    if (isnan(value) || height <= NOTHING) /* at the limit is not above it */
        buf_text(out, " ");
    else
        buf_text(out, spark_height(height >= 1 ? SPARK_HEIGHTS - 1
                                               : (size_t)(height * SPARK_HEIGHTS),
                                   is_utf8));
}

static void put_line(struct buf *out, size_t count, const char *dash)
{
    for (size_t i = 0; i < count; i++)
        buf_text(out, dash);
}

static void put_axis(struct buf *out, const struct course *course, bool is_utf8)
{
    put_label(out, (double)NAN, is_utf8 ? "└" : "+");
    for (size_t i = 0; i < course->count; i++) {
        if (i == course->begin)
            buf_text(out, is_utf8 ? "▲" : "^");
        else if (i == course->end)
            buf_text(out, is_utf8 ? "△" : "v");
        else
            buf_text(out, is_utf8 ? "─" : "-");
    }
    buf_text(out, "\n");
}

static bool is_known(const struct course *course)
{
    for (size_t i = 0; i < course->count; i++)
        if (isfinite(course->values[i]))
            return true;
    return false;
}

/* The highest and the lowest value; NaN: the row has none. */
static double label_of(const struct frame *frame, const struct course *course, int row)
{
    if (row == frame->rows - 1 && !(frame->most <= course->limit))
        return frame->most;
    if (row == 0 && !(frame->least > course->limit))
        return frame->least;
    return (double)NAN;
}

void course_draw(struct buf *out, const struct course *course, bool is_utf8)
{
    if (!is_known(course))
        return;
    struct frame frame = fit(course);
    for (int row = frame.rows - 1; row >= 0; row--) {
        put_label(out, label_of(&frame, course, row), is_utf8 ? "│" : "|");
        for (size_t i = 0; i < course->count; i++)
            put_cell(out, &frame, row, course->values[i], is_utf8);
        buf_text(out, "\n");
        if (row != frame.limit)
            continue;
        put_label(out, course->limit, is_utf8 ? "┼" : "+");
        put_line(out, course->count, is_utf8 ? "─" : "-");
        buf_text(out, "\n");
    }
    put_axis(out, course, is_utf8);
}

void course_hold(double *values, size_t count, size_t most)
{
    size_t last = COURSE_NONE;
    for (size_t i = 0; i < count; i++) {
        if (isnan(values[i]))
            continue;
        for (size_t k = last + 1; last != COURSE_NONE && i - last <= most && k < i; k++)
            values[k] = values[last];
        last = i;
    }
}
