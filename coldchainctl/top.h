// SPDX-License-Identifier: Apache-2.0
/*
 * top - what `coldchainctl top` knows of zones and incidents, and how a frame looks.
 *
 * Pure: answers of the API and the time go in, text comes out. One thread.
 */
#ifndef COLDCHAIN_COLDCHAINCTL_TOP_H
#define COLDCHAIN_COLDCHAINCTL_TOP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <jansson.h>

#include "base/buf.h"

struct top_point {
    int64_t time_ms;
    double value;
};

struct top_zone {
    char *id;
    char *name;    /* the id when it has none */
    char *device;  /* what measures the temperature that is shown; "": nothing does */
    char *channel; /* likewise */
    double temperature; /* NaN: none that is to be trusted */
    double humidity;
    double low; /* of the band; NaN: none */
    double high;
    int64_t time_ms;   /* of the temperature's reading; 0: never */
    const char *state; /* static */
    int urgency;       /* 0: nothing is wrong; larger is worse */
    bool is_seen;      /* in the answer that is being taken */

    struct top_point *points; /* by time */
    size_t point_count;
    size_t point_capacity;
    bool has_past; /* top_take_past() was called for this channel */
};

enum top_order {
    TOP_BY_URGENCY,
    TOP_BY_NAME,
    TOP_BY_TEMPERATURE,
    TOP_BY_AGE,
    TOP_ORDERS,
};

struct top {
    struct top_zone *zones;
    size_t count;
    size_t capacity;
    json_t *incidents; /* not closed, the newest first; owned */
    enum top_order order;
    int64_t span_ms;  /* how much of the past is drawn */
    int64_t as_of_ms; /* of the last answer, by the collector's clock */
};

void top_fini(struct top *top);

/* The answer to /api/v1/zones. Its time is that of its readings and their ages, so that
 * clocks need not agree; `now_ms` when nothing was ever read. */
void top_take_zones(struct top *top, const json_t *zones, int64_t now_ms);
/* `readings` of an answer to a zone's readings: what was before. */
void top_take_past(struct top *top, struct top_zone *zone, const json_t *readings);
/* `incidents` of the answer; borrowed. After the zones, whose urgency it raises. */
void top_take_incidents(struct top *top, json_t *incidents);
void top_sort(struct top *top);

/* "urgency", "name", "temperature", "age"; false for another word. */
bool top_parse_order(enum top_order *order, const char *word);
const char *top_order_name(enum top_order order);

/* Where and how it is drawn. */
struct top_view {
    size_t columns;
    size_t lines; /* 0: as many as it takes */
    size_t first; /* zone in the first line; moved so that `chosen` is seen */
    size_t chosen;
    int64_t elapsed_ms; /* since the last answer */
    bool has_cursor;    /* the chosen zone and the keys are shown */
    bool has_color;
    bool is_utf8;
    const char *where;   /* the API's address */
    const char *trouble; /* NULL: the answers are fresh */
};

/* Lines that end with '\n', none wider than view->columns. */
void top_draw(struct buf *out, const struct top *top, struct top_view *view);

#endif
