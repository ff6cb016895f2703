// SPDX-License-Identifier: Apache-2.0
/*
 * values - what open incidents come to by now.
 *
 * An effect tells what became of an incident; its value goes on between two of them, and
 * what is stored follows: once a minute, and before people are told of it again. Nothing
 * else changes by that, so there is no revision and no message of it.
 *
 * A fleet may have many open at once, and the loop has others to serve. So each has its
 * own moment of the minute, by its id, which is a digest: a tick looks at those whose
 * moment passed since the one before. Which these are is said by the journal and the
 * checkpoint, as all else is.
 */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "collector/pipeline/ahead.h"
#include "collector/pipeline/internal.h"
#include "collector/pipeline/telling.h"
#include "collector/pipeline/view.h"

#define EVERY_MS INT64_C(60000)
/* A silence says by itself how long it lasts: what is stored follows by tenths of it. */
#define SILENCE_GROWS 1.1
/* With a tick. */
#define STORED_MAX 1000

/* The engine looks at silence when it begins and when it ends. */
static double silent_s(const struct pipeline *pipeline, const struct incident *incident)
{
    return fmax((double)(pipeline->now_ms - incident->onset_ms) / 1000, incident->worst);
}

/* True when it was another one. */
static bool take_value(struct pipeline *pipeline, struct incident *incident)
{
    const struct incident *now =
        incident->state != INCIDENT_CLOSED ? pipeline_judged(pipeline, incident) : NULL;
    if (now == NULL)
        return false;
    bool is_silence = alert_kind_is_silence(incident->kind);
    double value = is_silence ? silent_s(pipeline, incident) : now->value;
    double worst = is_silence ? value : now->worst;
    bool is_other = value != incident->value || worst != incident->worst ||
                    now->worst_low != incident->worst_low ||
                    now->worst_high != incident->worst_high ||
                    now->harm.at_ms != incident->harm.at_ms;
    incident->value = value;
    incident->worst = worst;
    incident->worst_low = now->worst_low;
    incident->worst_high = now->worst_high;
    incident->harm = now->harm;
    return is_other;
}

bool pipeline_store_value(struct pipeline *pipeline, struct incident *incident)
{
    if (!take_value(pipeline, incident) || !pipeline_begin_effects(pipeline))
        return false;
    pipeline_note(pipeline, state_put_values(pipeline->options.state, incident));
    pipeline_news_value(pipeline, incident->id);
    return true;
}

/* ---- all of them ------------------------------------------------------------------ */

struct page {
    struct incident *items;
    size_t count;
    size_t capacity;
};

static void on_open(void *context, const struct incident *incident)
{
    struct page *page = context;
    mem_grow(&page->items, &page->capacity, page->count + 1, sizeof *page->items);
    page->items[page->count++] = *incident;
}

static bool is_worth_it(const struct pipeline *pipeline, const struct incident *incident)
{
    return !alert_kind_is_silence(incident->kind) ||
           silent_s(pipeline, incident) >= incident->value * SILENCE_GROWS;
}

/* How many were written. */
static size_t store_page(struct pipeline *pipeline, const struct page *page)
{
    size_t stored = 0;
    for (size_t i = 0; i < page->count; i++)
        if (is_worth_it(pipeline, &page->items[i]))
            stored += pipeline_store_value(pipeline, &page->items[i]);
    return stored;
}

/* Those with ids in [from, to); `stored` counts on. */
static void store_between(struct pipeline *pipeline, const char *from, const char *to,
                          size_t *stored)
{
    struct page page = {0};
    struct state_incident_query query = {.states = 1u << INCIDENT_OPEN |
                                                   1u << INCIDENT_RECOVERING |
                                                   1u << INCIDENT_UNKNOWN,
                                         .id_from = from,
                                         .id_to = to,
                                         .limit = STATE_PAGE_MAX};
    char last[ALERT_ID_SIZE];
    do {
        page.count = 0;
        pipeline_note(pipeline, state_page_incidents(pipeline->options.state, &query,
                                                     &page, on_open));
        *stored += store_page(pipeline, &page);
        if (page.count == 0)
            break;
        query.cursor_ms = page.items[page.count - 1].opened_ms;
        memcpy(last, page.items[page.count - 1].id, sizeof last);
        query.cursor = last;
    } while (pipeline->batch_err == ERR_OK && page.count == STATE_PAGE_MAX &&
             *stored < STORED_MAX);
    free(page.items);
}

/* Where ids stand whose moment that is: their first eight digits. */
static void moment_of(char text[9], int64_t time_ms)
{
    uint64_t part = ((uint64_t)(time_ms % EVERY_MS) << 32) / (uint64_t)EVERY_MS;
    snprintf(text, 9, "%08" PRIx32, (uint32_t)part);
}

void pipeline_store_values(struct pipeline *pipeline, int64_t since_ms)
{
    int64_t now_ms = pipeline->now_ms;
    if (pipeline->at <= pipeline->effect_cursor || pipeline->batch_err != ERR_OK ||
        since_ms < 0 || now_ms <= since_ms)
        return;
    char from[9], to[9];
    moment_of(from, since_ms);
    moment_of(to, now_ms);
    size_t stored = 0;
    if (now_ms - since_ms >= EVERY_MS) {
        store_between(pipeline, NULL, NULL, &stored);
    } else if (strcmp(from, to) <= 0) {
        store_between(pipeline, from, to, &stored);
    } else {
        store_between(pipeline, from, NULL, &stored);
        store_between(pipeline, NULL, to, &stored);
    }
}
