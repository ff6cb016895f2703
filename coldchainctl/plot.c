// SPDX-License-Identifier: Apache-2.0
#include "coldchainctl/plot.h"

#include <assert.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include <cairo-svg.h>
#include <cairo.h>

#include "base/clock.h"

#define WIDTH        960
#define PANEL_HEIGHT 250
#define LEFT         64
#define RIGHT        24
#define TOP          48
#define BOTTOM       58
#define GAP          44

/* Okabe and Ito: told apart with any colour vision. */
static const double colours[PLOT_LINES_MAX][3] = {
    {0.00, 0.45, 0.70}, {0.84, 0.37, 0.00}, {0.00, 0.62, 0.45},
    {0.80, 0.47, 0.65}, {0.34, 0.71, 0.91}, {0.90, 0.62, 0.00},
};

/* Data to page, for one panel. */
struct frame {
    double x, y, width, height;
    double t0, t1;
    double v0, v1;
};

static double x_of(const struct frame *frame, double ms)
{
    return frame->x + (ms - frame->t0) / (frame->t1 - frame->t0) * frame->width;
}

static double y_of(const struct frame *frame, double value)
{
    double share = (value - frame->v0) / (frame->v1 - frame->v0);
    return frame->y + (1 - fmin(fmax(share, 0), 1)) * frame->height;
}

static void text_at(cairo_t *cr, double x, double y, double align, double size,
                    const char *text)
{
    cairo_text_extents_t extents;
    cairo_set_font_size(cr, size);
    cairo_text_extents(cr, text, &extents);
    cairo_move_to(cr, x - align * extents.x_advance, y);
    cairo_show_text(cr, text);
}

static void stretch(double *low, double *high, const double *values, size_t count)
{
    for (size_t i = 0; values != NULL && i < count; i++) {
        if (!isfinite(values[i]))
            continue;
        *low = fmin(*low, values[i]);
        *high = fmax(*high, values[i]);
    }
}

/* 1, 2 or 5 times a power of ten, for about `wanted` steps. */
static double step_of(double range, double wanted)
{
    double raw = range / wanted;
    double power = pow(10, floor(log10(raw)));
    double rest = raw / power;
    return power * (rest <= 1 ? 1 : rest <= 2 ? 2 : rest <= 5 ? 5 : 10);
}

static void fit_values(struct frame *frame, const struct plot_panel *panel, size_t count)
{
    double low = panel->starts_at_zero ? 0 : (double)INFINITY, high = -(double)INFINITY;
    for (size_t i = 0; i < panel->line_count; i++) {
        stretch(&low, &high, panel->lines[i].values, count);
        stretch(&low, &high, panel->lines[i].low, count);
        stretch(&low, &high, panel->lines[i].high, count);
    }
    stretch(&low, &high, &panel->band_low, 1);
    stretch(&low, &high, &panel->band_high, 1);
    if (!isfinite(low) || !isfinite(high))
        low = 0, high = 1;
    double step = step_of(fmax(high - low, 0.5), 5);
    frame->v0 = floor(low / step) * step;
    frame->v1 = fmax(ceil(high / step), floor(low / step) + 1) * step;
}

static void draw_values_axis(cairo_t *cr, const struct frame *frame)
{
    double step = step_of(frame->v1 - frame->v0, 5);
    cairo_set_line_width(cr, 1);
    long steps = lround((frame->v1 - frame->v0) / step);
    for (long i = 0; i <= steps; i++) {
        double value = frame->v0 + (double)i * step;
        char label[32];
        snprintf(label, sizeof label, "%g", fabs(value) < step / 1000 ? 0 : value);
        cairo_set_source_rgb(cr, 0.88, 0.88, 0.88);
        cairo_move_to(cr, frame->x, y_of(frame, value));
        cairo_rel_line_to(cr, frame->width, 0);
        cairo_stroke(cr);
        cairo_set_source_rgb(cr, 0.25, 0.25, 0.25);
        text_at(cr, frame->x - 8, y_of(frame, value) + 4, 1, 12, label);
    }
}

static void draw_time_axis(cairo_t *cr, const struct frame *frame, bool has_labels)
{
    static const double steps_h[] = {0.25, 1,   3,   6,   12,   24,
                                     48,   168, 336, 720, 1440, 4320};
    double hours = (frame->t1 - frame->t0) / 3600000, step_h = steps_h[0];
    for (size_t i = 0; i < sizeof steps_h / sizeof steps_h[0] && hours / step_h > 9; i++)
        step_h = steps_h[i];
    double step_ms = step_h * 3600000;
    double first = ceil(frame->t0 / step_ms);
    int count = (int)floor(frame->t1 / step_ms - first) + 1;
    for (int i = 0; i < count; i++) {
        double ms = (first + i) * step_ms;
        char iso[CLOCK_ISO_MAX];
        clock_format_iso(iso, (int64_t)ms);
        cairo_set_source_rgb(cr, 0.88, 0.88, 0.88);
        cairo_move_to(cr, x_of(frame, ms), frame->y);
        cairo_rel_line_to(cr, 0, frame->height);
        cairo_stroke(cr);
        if (!has_labels)
            continue;
        iso[10] = iso[16] = '\0';
        cairo_set_source_rgb(cr, 0.25, 0.25, 0.25);
        text_at(cr, x_of(frame, ms), frame->y + frame->height + 16, 0.5, 11, iso + 5);
        if (step_h < 24)
            text_at(cr, x_of(frame, ms), frame->y + frame->height + 30, 0.5, 11,
                    iso + 11);
    }
}

static void draw_band(cairo_t *cr, const struct frame *frame,
                      const struct plot_panel *panel)
{
    if (isnan(panel->band_low) || isnan(panel->band_high))
        return;
    double top = y_of(frame, panel->band_high), bottom = y_of(frame, panel->band_low);
    cairo_set_source_rgba(cr, 0.0, 0.62, 0.45, 0.14);
    cairo_rectangle(cr, frame->x, top, frame->width, fmax(bottom - top, 2));
    cairo_fill(cr);
}

/* The shaded range of a line, one stretch without gaps at a time. */
static void draw_range(cairo_t *cr, const struct frame *frame, const struct plot *plot,
                       const struct plot_line *line, size_t from, size_t to)
{
    cairo_new_path(cr); /* text leaves a point behind */
    for (size_t i = from; i < to; i++)
        cairo_line_to(cr, x_of(frame, (double)plot->times_ms[i]),
                      y_of(frame, line->low[i]));
    for (size_t i = to; i-- > from;)
        cairo_line_to(cr, x_of(frame, (double)plot->times_ms[i]),
                      y_of(frame, line->high[i]));
    cairo_close_path(cr);
    cairo_fill(cr);
}

static void draw_stretch(cairo_t *cr, const struct frame *frame, const struct plot *plot,
                         const struct plot_line *line, size_t from, size_t to,
                         const double colour[3])
{
    if (line->low != NULL && line->high != NULL) {
        cairo_set_source_rgba(cr, colour[0], colour[1], colour[2], 0.2);
        draw_range(cr, frame, plot, line, from, to);
    }
    cairo_set_source_rgb(cr, colour[0], colour[1], colour[2]);
    cairo_set_line_width(cr, 1.6);
    cairo_new_path(cr);
    for (size_t i = from; i < to; i++)
        cairo_line_to(cr, x_of(frame, (double)plot->times_ms[i]),
                      y_of(frame, line->values[i]));
    cairo_stroke(cr);
}

static bool is_drawable(const struct plot_line *line, size_t i)
{
    bool has_range =
        line->low == NULL || (isfinite(line->low[i]) && isfinite(line->high[i]));
    return isfinite(line->values[i]) && has_range;
}

static void draw_line(cairo_t *cr, const struct frame *frame, const struct plot *plot,
                      const struct plot_line *line, const double colour[3])
{
    for (size_t from = 0; from < plot->count;) {
        size_t to = from;
        while (to < plot->count && is_drawable(line, to))
            to++;
        if (to > from)
            draw_stretch(cr, frame, plot, line, from, to, colour);
        from = to + 1;
    }
}

static void draw_legend(cairo_t *cr, const struct frame *frame,
                        const struct plot_panel *panel)
{
    double x = frame->x + frame->width;
    for (size_t i = panel->line_count; i-- > 0;) {
        cairo_text_extents_t extents;
        cairo_set_font_size(cr, 12);
        cairo_text_extents(cr, panel->lines[i].name, &extents);
        x -= extents.x_advance;
        cairo_set_source_rgb(cr, 0.25, 0.25, 0.25);
        text_at(cr, x, frame->y - 8, 0, 12, panel->lines[i].name);
        cairo_set_source_rgb(cr, colours[i][0], colours[i][1], colours[i][2]);
        cairo_rectangle(cr, x - 18, frame->y - 14, 12, 5);
        cairo_fill(cr);
        x -= 34;
    }
}

static void draw_panel(cairo_t *cr, const struct plot *plot, size_t at)
{
    const struct plot_panel *panel = &plot->panels[at];
    double t0 = (double)plot->times_ms[0], t1 = (double)plot->times_ms[plot->count - 1];
    struct frame frame = {.x = LEFT,
                          .y = TOP + GAP / 2.0 + (double)at * (PANEL_HEIGHT + GAP),
                          .width = WIDTH - LEFT - RIGHT,
                          .height = PANEL_HEIGHT,
                          .t0 = t0,
                          .t1 = t1 > t0 ? t1 : t0 + 1};
    assert(panel->line_count <= PLOT_LINES_MAX);
    fit_values(&frame, panel, plot->count);
    draw_values_axis(cr, &frame);
    draw_time_axis(cr, &frame, at + 1 == plot->panel_count);
    draw_band(cr, &frame, panel);
    for (size_t i = 0; i < panel->line_count; i++)
        draw_line(cr, &frame, plot, &panel->lines[i], colours[i]);
    cairo_set_source_rgb(cr, 0.1, 0.1, 0.1);
    text_at(cr, frame.x, frame.y - 8, 0, 13, panel->title);
    draw_legend(cr, &frame, panel);
}

static void draw(cairo_t *cr, const struct plot *plot, double height)
{
    cairo_set_source_rgb(cr, 1, 1, 1);
    cairo_paint(cr);
    cairo_select_font_face(cr, "sans-serif", CAIRO_FONT_SLANT_NORMAL,
                           CAIRO_FONT_WEIGHT_NORMAL);
    cairo_set_source_rgb(cr, 0, 0, 0);
    text_at(cr, LEFT, 28, 0, 17, plot->title);
    for (size_t i = 0; i < plot->panel_count; i++)
        draw_panel(cr, plot, i);
    cairo_set_source_rgb(cr, 0.35, 0.35, 0.35);
    text_at(cr, LEFT, height - 10, 0, 11, plot->footnote);
}

static bool ends_with(const char *text, const char *ending)
{
    size_t len = strlen(text), end = strlen(ending);
    return len > end && strcmp(text + len - end, ending) == 0;
}

static enum err check_surface(cairo_status_t status, const char *path,
                              struct err_text *why)
{
    if (status == CAIRO_STATUS_SUCCESS)
        return ERR_OK;
    return err_set(why, ERR_IO, "%s: %s", path, cairo_status_to_string(status));
}

enum err plot_write(const struct plot *plot, const char *path, struct err_text *why)
{
    bool is_svg = ends_with(path, ".svg");
    if (!is_svg && !ends_with(path, ".png"))
        return err_set(why, ERR_UNSUPPORTED, "%s: name it .svg or .png", path);
    if (plot->count < 2)
        return err_set(why, ERR_INVALID, "%s: fewer than two points to draw", path);
    double height = TOP + (double)plot->panel_count * (PANEL_HEIGHT + GAP) + BOTTOM;
    cairo_surface_t *surface =
        is_svg ? cairo_svg_surface_create(path, WIDTH, height)
               : cairo_image_surface_create(CAIRO_FORMAT_RGB24, WIDTH, (int)height);
    cairo_t *cr = cairo_create(surface);
    draw(cr, plot, height);
    cairo_status_t status = cairo_status(cr);
    cairo_destroy(cr);
    if (status == CAIRO_STATUS_SUCCESS && !is_svg)
        status = cairo_surface_write_to_png(surface, path);
    cairo_surface_finish(surface);
    if (status == CAIRO_STATUS_SUCCESS)
        status = cairo_surface_status(surface);
    cairo_surface_destroy(surface);
    return check_surface(status, path, why);
}
