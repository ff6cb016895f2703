// SPDX-License-Identifier: Apache-2.0
/*
 * gauges - those of a channel: found, relinked, saved, loaded.
 *
 * Saved behind the watches: varint count, per gauge u8 what (0: of a rule, then its id,
 * u8 kind and u64 print; 1: the air; 2: the product;
 * 3: its cadence), and its numbers as a blob.
 */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "alerts/internal.h"
#include "alerts/measure.h"
#include "alerts/shared.h"
#include "base/mem.h"

enum { OF_RULE, OF_AIR, OF_PRODUCT, OF_CADENCE, OF_COUNT };

/* What all rules of a channel share. */
static const struct gauge_kind *const shared[OF_COUNT] = {
    [OF_AIR] = &gauge_air,
    [OF_PRODUCT] = &gauge_product,
    [OF_CADENCE] = &gauge_cadence,
};

static bool wants(const struct plan *plan, const struct gauge_kind *kind)
{
    if (kind == &gauge_air)
        return plan->wants_air;
    return kind == &gauge_product ? plan->derives != 0 : plan->learns;
}

static uint8_t tag_of(const struct gauge_kind *kind)
{
    uint8_t tag = OF_AIR;
    while (tag + 1 < OF_COUNT && shared[tag] != kind)
        tag++;
    return tag;
}

struct gauge *gauge_find(const struct source *source, const struct rule *rule)
{
    struct gauge *gauge = source->gauges;
    while (gauge != NULL && gauge->rule != rule)
        gauge = gauge->next;
    return gauge;
}

struct gauge *gauge_add(struct source *source, struct rule *rule,
                        const struct gauge_kind *kind, int64_t time_ms)
{
    struct gauge *gauge = mem_alloc(kind->size(rule));
    gauge->rule = rule;
    gauge->kind = kind;
    struct gauge **at = &source->gauges;
    while (*at != NULL)
        at = &(*at)->next;
    *at = gauge;
    kind->begin(gauge, time_ms);
    return gauge;
}

struct gauge *gauge_shared(struct source *source, const struct gauge_kind *kind,
                           int64_t time_ms)
{
    for (struct gauge *gauge = source->gauges; gauge != NULL; gauge = gauge->next)
        if (gauge->kind == kind && gauge->rule == NULL)
            return gauge;
    return gauge_add(source, NULL, kind, time_ms);
}

void gauges_destroy(struct source *source)
{
    while (source->gauges != NULL) {
        struct gauge *gauge = source->gauges;
        source->gauges = gauge->next;
        free(gauge);
    }
}

/* What all rules share stays while one of them is there to ask. */
static bool is_wanted(const struct source *source, struct gauge *gauge)
{
    if (gauge->rule == NULL)
        return wants(source->plan, gauge->kind);
    struct rule *rule = plan_find_rule(source->plan, gauge->rule->id, gauge->rule->kind);
    if (rule == NULL || rule->print != gauge->rule->print)
        return false;
    gauge->rule = rule;
    return true;
}

bool gauges_relink(struct source *source)
{
    bool is_changed = false;
    for (struct gauge **at = &source->gauges; *at != NULL;) {
        struct gauge *gauge = *at;
        if (is_wanted(source, gauge)) {
            at = &gauge->next;
            continue;
        }
        *at = gauge->next;
        free(gauge);
        is_changed = true;
    }
    return is_changed;
}

static void save_gauge(struct buf *out, struct gauge *gauge)
{
    if (gauge->rule == NULL) {
        buf_u8(out, tag_of(gauge->kind));
    } else {
        buf_u8(out, OF_RULE);
        buf_blob(out, gauge->rule->id, strlen(gauge->rule->id));
        buf_u8(out, gauge->rule->kind);
        buf_u64(out, gauge->rule->print);
    }
    struct buf body = {0};
    gauge->kind->archive(&(struct archive){.out = &body}, gauge);
    buf_blob(out, body.data != NULL ? body.data : "", body.len);
    buf_fini(&body);
}

void gauges_save(struct buf *out, const struct source *source)
{
    size_t count = 0;
    for (const struct gauge *gauge = source->gauges; gauge != NULL; gauge = gauge->next)
        count++;
    buf_varint(out, count);
    for (struct gauge *gauge = source->gauges; gauge != NULL; gauge = gauge->next)
        save_gauge(out, gauge);
}

/* The rule in force that it belongs to, with *kind; both NULL: it is passed over. */
static struct rule *read_owner(struct buf_reader *in, const struct source *source,
                               const struct gauge_kind **kind)
{
    *kind = NULL;
    uint8_t what = buf_read_u8(in);
    if (what > OF_RULE && what < OF_COUNT) {
        *kind = wants(source->plan, shared[what]) ? shared[what] : NULL;
        return NULL;
    }
    size_t len = 0;
    const void *text = buf_read_blob(in, &len);
    unsigned rule_kind = buf_read_u8(in);
    uint64_t print = buf_read_u64(in);
    char id[ID_SIZE];
    if (what != OF_RULE || text == NULL || len >= sizeof id || in->failed) {
        in->failed = true;
        return NULL;
    }
    memcpy(id, text, len);
    id[len] = '\0';
    struct rule *rule = plan_find_rule(source->plan, id, rule_kind);
    if (rule == NULL || rule->print != print)
        return NULL;
    *kind = measure_kind(rule);
    return *kind != NULL ? rule : NULL;
}

static bool load_gauge(struct buf_reader *in, struct source *source)
{
    const struct gauge_kind *kind;
    struct rule *rule = read_owner(in, source, &kind);
    size_t len = 0;
    const void *body = buf_read_blob(in, &len);
    if (in->failed || body == NULL)
        return false;
    if (kind == NULL)
        return true;
    for (const struct gauge *other = source->gauges; other != NULL; other = other->next)
        if (other->rule == rule && other->kind == kind)
            return false;
    struct gauge *gauge = gauge_add(source, rule, kind, 0);
    struct buf_reader inner = buf_reader_of(body, len);
    kind->archive(&(struct archive){.in = &inner}, gauge);
    return !inner.failed && inner.at == inner.len;
}

bool gauges_load(struct buf_reader *in, struct source *source)
{
    for (uint64_t count = buf_read_varint(in); count > 0 && !in->failed; count--)
        if (!load_gauge(in, source))
            return false;
    return !in->failed;
}
