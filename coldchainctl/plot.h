// SPDX-License-Identifier: Apache-2.0
/*
 * plot - line charts over time as SVG or PNG.
 *
 * This module is the only door to cairo. Programs below this folder that need to draw
 * (the collector's PDF reports) move it down to a folder of its own rather than include
 * cairo a second time. Pure but for the file that is written; one thread.
 */
#ifndef COLDCHAIN_COLDCHAINCTL_PLOT_H
#define COLDCHAIN_COLDCHAINCTL_PLOT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

#define PLOT_LINES_MAX 6

/* One value per time; NaN leaves a gap. `low` and `high`, when given, shade a range. */
struct plot_line {
    const char *name;
    const double *values;
    const double *low;
    const double *high;
};

struct plot_panel {
    const char *title; /* with the unit */
    double band_low;   /* shaded; NaN: none */
    double band_high;
    bool starts_at_zero;
    size_t line_count;
    struct plot_line lines[PLOT_LINES_MAX];
};

/* Panels stand above each other over one time axis, which is UTC. All is borrowed. */
struct plot {
    const char *title;
    const char *footnote;
    size_t count; /* of times, and of every array of values */
    const int64_t *times_ms;
    size_t panel_count;
    const struct plot_panel *panels;
};

/* The ending of `path` chooses: .svg or .png; ERR_UNSUPPORTED for any other. */
MUST_CHECK enum err plot_write(const struct plot *plot, const char *path,
                               struct err_text *why);

#endif
