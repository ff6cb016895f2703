// SPDX-License-Identifier: Apache-2.0
/*
 * gauges - those of a channel: placed, begun, relinked, saved, loaded.
 *
 * Saved behind the watches: varint count, f32 usual spacing (from version 4 on, if there
 * is any), per gauge u8 what (0: of a rule, then its id, u8 kind and u64 its gauge's
 * print, until version 5 the rule's; 1: the air; 2: the product; 3: its cadence; 4: the
 * life of its goods; 5: contact with a device), and its numbers as a blob.
 */
#include <assert.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "alerts/internal.h"
#include "alerts/measure.h"
#include "alerts/shared.h"
#include "base/mem.h"

#define SHARED_COUNT 5

static size_t aligned(size_t size, size_t alignment)
{
    return (size + alignment - 1) / alignment * alignment;
}

static const struct gauge_kind *shared_kind(size_t which)
{
    static const struct gauge_kind *const kinds[SHARED_COUNT] = {
        [OF_AIR] = &gauge_air,         [OF_PRODUCT] = &gauge_product,
        [OF_CADENCE] = &gauge_cadence, [OF_LIFE] = &gauge_life,
        [OF_CONTACT] = &gauge_contact,
    };
    return kinds[which];
}

static bool wants(const struct plan *plan, size_t which)
{
    switch ((enum shared_gauge)which) {
    case OF_AIR:
        return plan->wants_air;
    case OF_PRODUCT:
        return plan->has_goods;
    case OF_CADENCE:
        return plan->learns;
    case OF_LIFE:
        return plan->wants_life;
    case OF_CONTACT:
        return plan->pause_ms > 0;
    }
    return false;
}

static size_t slots_of(const struct plan *plan)
{
    return plan->count + SHARED_COUNT;
}

static struct rule *rule_at(const struct plan *plan, size_t slot)
{
    return slot < plan->count ? plan->rules[slot] : NULL;
}

/* NULL: there is none. */
static const struct gauge_kind *kind_at(const struct plan *plan, size_t slot)
{
    if (slot < plan->count)
        return measure_kind(plan->rules[slot]);
    size_t which = slot - plan->count;
    return wants(plan, which) ? shared_kind(which) : NULL;
}

void gauges_plan(struct plan *plan)
{
    size_t slots = slots_of(plan);
    size_t size = offsetof(struct gauges, is_there) + (slots + 7) / 8;
    for (size_t i = 0; i < slots; i++) {
        const struct gauge_kind *kind = kind_at(plan, i);
        if (kind == NULL)
            continue;
        if (plan->places == NULL)
            plan->places = mem_array(slots, sizeof *plan->places);
        plan->places[i] = (uint32_t)aligned(size, kind->alignment);
        size = plan->places[i] + kind->size(rule_at(plan, i));
    }
    plan->gauges_size = size;
}

static bool is_there(const struct gauges *gauges, size_t slot)
{
    return gauges != NULL && (gauges->is_there[slot / 8] & 1u << slot % 8) != 0;
}

static void *at(const struct source *source, size_t slot)
{
    assert(source->plan->places[slot] != 0);
    return (char *)source->gauges + source->plan->places[slot];
}

static void *begin(struct alerts *alerts, struct source *source,
                   const struct gauge_kind *kind, size_t slot)
{
    assert(!is_there(source->gauges, slot));
    if (source->gauges == NULL)
        source->gauges = pool_take(&alerts->pool, source->plan->gauges_size);
    source->gauges->is_there[slot / 8] |= (uint8_t)(1u << slot % 8);
    if (kind->begin != NULL)
        kind->begin(at(source, slot));
    return at(source, slot);
}

void *gauge_of_rule(struct alerts *alerts, struct source *source,
                    const struct gauge_kind *kind, size_t index, bool *is_new)
{
    *is_new = !is_there(source->gauges, index);
    return *is_new ? begin(alerts, source, kind, index) : at(source, index);
}

const void *gauge_find(const struct source *source, size_t index)
{
    return is_there(source->gauges, index) ? at(source, index) : NULL;
}

void *gauge_shared(struct alerts *alerts, struct source *source, enum shared_gauge which)
{
    size_t slot = source->plan->count + which;
    if (is_there(source->gauges, slot))
        return at(source, slot);
    return begin(alerts, source, shared_kind(which), slot);
}

const void *gauge_shared_find(const struct source *source, enum shared_gauge which)
{
    size_t slot = source->plan->count + which;
    return is_there(source->gauges, slot) ? at(source, slot) : NULL;
}

void gauges_destroy(struct alerts *alerts, struct source *source)
{
    pool_give(&alerts->pool, source->gauges, source->plan->gauges_size);
    source->gauges = NULL;
}

/* Of the rule with this id, kind and print; the count of slots when it is not there. */
static size_t slot_of_rule(const struct plan *plan, const char *id, unsigned kind,
                           uint64_t print)
{
    for (size_t i = 0; i < plan->count; i++) {
        const struct rule *rule = plan->rules[i];
        if (rule->kind == kind && strcmp(rule->id, id) == 0)
            return print == rule_gauge_print(rule) || print == rule->print
                       ? i
                       : slots_of(plan);
    }
    return slots_of(plan);
}

/* Where the gauge stands under another plan; what all rules share stays while one of
 * them is there to ask. */
static size_t slot_under(const struct plan *plan, const struct plan *from, size_t slot)
{
    const struct rule *rule = rule_at(from, slot);
    if (rule != NULL)
        return slot_of_rule(plan, rule->id, rule->kind, rule_gauge_print(rule));
    size_t which = slot - from->count;
    return wants(plan, which) ? plan->count + which : slots_of(plan);
}

bool gauges_relink(struct alerts *alerts, struct source *source, const struct plan *from)
{
    struct gauges *old = source->gauges;
    if (old == NULL)
        return false;
    source->gauges = NULL;
    bool is_changed = false;
    for (size_t i = 0; i < slots_of(from); i++) {
        if (!is_there(old, i))
            continue;
        const struct gauge_kind *kind = kind_at(from, i);
        size_t slot = slot_under(source->plan, from, i);
        if (slot == slots_of(source->plan)) {
            is_changed = true;
            continue;
        }
        void *gauge = begin(alerts, source, kind, slot);
        memcpy(gauge, (const char *)old + from->places[i], kind->size(rule_at(from, i)));
    }
    if (source->gauges != NULL)
        source->gauges->usual_ms = old->usual_ms;
    pool_give(&alerts->pool, old, from->gauges_size);
    return is_changed;
}

static void save_gauge(struct buf *out, const struct source *source, size_t slot)
{
    const struct rule *rule = rule_at(source->plan, slot);
    if (rule == NULL) {
        buf_u8(out, (uint8_t)(1 + slot - source->plan->count));
    } else {
        buf_u8(out, 0);
        buf_blob(out, rule->id, strlen(rule->id));
        buf_u8(out, rule->kind);
        buf_u64(out, rule_gauge_print(rule));
    }
    struct buf body = {0};
    kind_at(source->plan, slot)
        ->archive(&(struct archive){.out = &body, .version = GAUGES_VERSION},
                  at(source, slot), rule);
    buf_blob(out, body.data != NULL ? body.data : "", body.len);
    buf_fini(&body);
}

void gauges_save(struct buf *out, const struct source *source)
{
    size_t slots = slots_of(source->plan);
    size_t count = 0;
    for (size_t i = 0; i < slots; i++)
        count += is_there(source->gauges, i);
    buf_varint(out, count);
    if (count > 0)
        archive_f32(&(struct archive){.out = out}, &source->gauges->usual_ms);
    for (size_t i = 0; i < slots; i++)
        if (is_there(source->gauges, i))
            save_gauge(out, source, i);
}

/* Where it belongs; the count of slots: it is passed over. */
static size_t read_owner(struct buf_reader *in, const struct plan *plan)
{
    uint8_t what = buf_read_u8(in);
    if (what > 0 && what <= SHARED_COUNT)
        return wants(plan, what - 1u) ? plan->count + what - 1 : slots_of(plan);
    size_t len = 0;
    const void *text = buf_read_blob(in, &len);
    unsigned rule_kind = buf_read_u8(in);
    uint64_t print = buf_read_u64(in);
    char id[ID_SIZE];
    if (what != 0 || text == NULL || len >= sizeof id || in->failed) {
        in->failed = true;
        return slots_of(plan);
    }
    memcpy(id, text, len);
    id[len] = '\0';
    size_t slot = slot_of_rule(plan, id, rule_kind, print);
    return slot < plan->count && kind_at(plan, slot) != NULL ? slot : slots_of(plan);
}

/* `archive`: all but the bytes, which are this gauge's own. */
static bool load_gauge(struct alerts *alerts, struct buf_reader *in,
                       struct source *source, struct archive archive)
{
    size_t slot = read_owner(in, source->plan);
    size_t len = 0;
    const void *body = buf_read_blob(in, &len);
    if (in->failed || body == NULL)
        return false;
    if (slot == slots_of(source->plan))
        return true;
    if (is_there(source->gauges, slot))
        return false;
    const struct gauge_kind *kind = kind_at(source->plan, slot);
    struct buf_reader inner = buf_reader_of(body, len);
    archive.in = &inner;
    kind->archive(&archive, begin(alerts, source, kind, slot),
                  rule_at(source->plan, slot));
    return !inner.failed && inner.at == inner.len;
}

bool gauges_load(struct alerts *alerts, struct buf_reader *in, struct source *source,
                 unsigned version)
{
    float usual_ms = 0;
    uint64_t count = buf_read_varint(in);
    if (version >= GAUGES_VERSION && count > 0)
        archive_f32(&(struct archive){.in = in}, &usual_ms);
    if (!(usual_ms >= 0 && usual_ms < 1e9F))
        in->failed = true;
    struct archive archive = {.version = version, .usual_ms = &usual_ms};
    for (; count > 0 && !in->failed; count--)
        if (!load_gauge(alerts, in, source, archive))
            return false;
    if (source->gauges != NULL)
        source->gauges->usual_ms = usual_ms;
    return !in->failed;
}
