// SPDX-License-Identifier: Apache-2.0
#include "edge-agent/incidents.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

#define VERSION_QUIET 2      /* since which acknowledgements are kept, too */
#define ENTRIES_MAX   100000 /* what a file may say: far beyond 64 rules x 256 channels */

void incidents_fini(struct incidents *list)
{
    free(list->entries);
    *list = (struct incidents){0};
}

static bool is_over(const struct incidents_entry *entry)
{
    return entry->state == INCIDENT_CLOSED;
}

static struct incidents_entry *find(const struct incidents *list, const char *id)
{
    for (size_t i = 0; i < list->count; i++)
        if (strcmp(list->entries[i].id, id) == 0)
            return &list->entries[i];
    return NULL;
}

static bool is_same_matter(const struct incidents_entry *entry, const char *rule,
                           const char *zone, const char *channel)
{
    return strcmp(entry->rule, rule) == 0 && strcmp(entry->zone, zone) == 0 &&
           strcmp(entry->channel, channel) == 0;
}

static void remove_at(struct incidents *list, size_t index)
{
    assert(index < list->count);
    list->count--;
    memmove(&list->entries[index], &list->entries[index + 1],
            (list->count - index) * sizeof *list->entries);
}

static struct incidents_entry *add(struct incidents *list)
{
    mem_grow(&list->entries, &list->capacity, list->count + 1, sizeof *list->entries);
    struct incidents_entry *added = &list->entries[list->count++];
    *added = (struct incidents_entry){0};
    return added;
}

static void fill(struct incidents_entry *entry, const struct incident *incident)
{
    memcpy(entry->id, incident->id, sizeof entry->id);
    memcpy(entry->rule, incident->rule, sizeof entry->rule);
    memcpy(entry->zone, incident->zone, sizeof entry->zone);
    memcpy(entry->channel, incident->channel, sizeof entry->channel);
    memcpy(entry->quantity, incident->quantity, sizeof entry->quantity);
    entry->kind = incident->kind;
    if (incident->severity > entry->severity)
        entry->is_muted = false;
    entry->severity = incident->severity;
    entry->state = incident->state;
    entry->onset_ms = incident->onset_ms;
    entry->opened_ms = incident->opened_ms;
    entry->limit = incident->limit;
    entry->value = incident->value;
    entry->worst = incident->worst;
    entry->harm = incident->harm;
}

/* What was carried over for the same matter, which goes on under this id. */
static struct incidents_entry *find_carried(const struct incidents *list,
                                            const struct incident *incident)
{
    for (size_t i = 0; i < list->count; i++) {
        struct incidents_entry *entry = &list->entries[i];
        if (entry->carried_until_ms != 0 &&
            is_same_matter(entry, incident->rule, incident->zone, incident->channel))
            return entry;
    }
    return NULL;
}

bool incidents_apply(struct incidents *list, enum alert_effect_kind kind,
                     const struct incident *incident)
{
    struct incidents_entry *entry = find(list, incident->id);
    if (entry == NULL)
        entry = find_carried(list, incident);
    if (entry == NULL && (kind == ALERT_EFFECT_CLOSED || kind == ALERT_EFFECT_WITHDRAWN))
        return false;
    if (entry == NULL)
        entry = add(list);
    entry->carried_until_ms = 0;
    fill(entry, incident);
    if (kind == ALERT_EFFECT_CLOSED || kind == ALERT_EFFECT_WITHDRAWN)
        incidents_end(entry);
    return true;
}

void incidents_end(struct incidents_entry *entry)
{
    entry->state = INCIDENT_CLOSED;
    entry->carried_until_ms = 0;
}

void incidents_carry(struct incidents *list, int64_t until_ms)
{
    for (size_t i = 0; i < list->count; i++)
        if (!is_over(&list->entries[i]))
            list->entries[i].carried_until_ms = until_ms;
}

bool incidents_end_carried(struct incidents *list, int64_t now_ms)
{
    bool has_ended = false;
    for (size_t i = 0; i < list->count; i++) {
        struct incidents_entry *entry = &list->entries[i];
        if (entry->carried_until_ms == 0 || now_ms < entry->carried_until_ms)
            continue;
        incidents_end(entry);
        has_ended = true;
    }
    return has_ended;
}

void incidents_inherit(struct incidents *list, struct incidents *old)
{
    assert(list != old);
    for (size_t i = 0; i < old->count; i++) {
        struct incidents_entry *from = &old->entries[i];
        size_t at = 0;
        while (at < list->count &&
               !is_same_matter(&list->entries[at], from->rule, from->zone, from->channel))
            at++;
        if (at == list->count) {
            incidents_end(from);
            *add(list) = *from;
            continue;
        }
        list->entries[at].told = from->told;
        list->entries[at].is_muted = from->is_muted;
        list->entries[at].quiet_until_ms = from->quiet_until_ms;
    }
    list->mute_stamp_ns = old->mute_stamp_ns;
    list->has_to_mute |= old->has_to_mute;
    incidents_fini(old);
}

/* ---- telling ---- */

static unsigned wanted(const struct incidents_entry *entry, enum alert_severity least)
{
    bool is_quiet = entry->told == 0 && entry->is_muted;
    if (is_over(entry) || entry->is_idle || is_quiet || entry->severity < least)
        return 0;
    return 1 + (unsigned)entry->severity;
}

enum incidents_news incidents_next(const struct incidents *list,
                                   enum alert_severity least, size_t *index)
{
    for (*index = 0; *index < list->count; (*index)++) {
        const struct incidents_entry *entry = &list->entries[*index];
        unsigned want = wanted(entry, least);
        if (want == 0 && (entry->told != 0 || is_over(entry)))
            return INCIDENTS_CLOSED;
        if (want > entry->told)
            return entry->told == 0 ? INCIDENTS_OPENED : INCIDENTS_ESCALATED;
    }
    return INCIDENTS_NOTHING;
}

void incidents_told(struct incidents *list, const char *id, enum incidents_news news,
                    enum alert_severity severity)
{
    assert(news != INCIDENTS_NOTHING);
    struct incidents_entry *entry = find(list, id);
    if (entry == NULL)
        return; /* it goes on under another id */
    if (news == INCIDENTS_OPENED && entry->is_muted)
        entry->quiet_until_ms = 0; /* while that was being told: mute it once more */
    entry->is_muted = false;
    entry->told = news == INCIDENTS_CLOSED ? 0 : 1 + (unsigned)severity;
    if (news == INCIDENTS_CLOSED && is_over(entry))
        remove_at(list, (size_t)(entry - list->entries));
}

static bool is_told(const struct incidents_entry *entry)
{
    return entry->told != 0 && !is_over(entry) && !entry->is_idle;
}

size_t incidents_open(const struct incidents *list)
{
    size_t count = 0;
    for (size_t i = 0; i < list->count; i++)
        count += !is_over(&list->entries[i]) && !list->entries[i].is_idle;
    return count;
}

size_t incidents_count(const struct incidents *list, bool is_ringing)
{
    size_t count = 0;
    for (size_t i = 0; i < list->count; i++)
        count += is_told(&list->entries[i]) && !(is_ringing && list->entries[i].is_muted);
    return count;
}

const struct incidents_entry *incidents_gravest(const struct incidents *list)
{
    const struct incidents_entry *gravest = NULL;
    for (size_t i = 0; i < list->count; i++) {
        const struct incidents_entry *entry = &list->entries[i];
        if (!is_told(entry) || entry->is_muted)
            continue;
        if (gravest == NULL || entry->severity > gravest->severity ||
            (entry->severity == gravest->severity && entry->onset_ms < gravest->onset_ms))
            gravest = entry;
    }
    return gravest;
}

bool incidents_mute(struct incidents *list)
{
    bool has_muted = false;
    for (size_t i = 0; i < list->count; i++) {
        if (!is_told(&list->entries[i]) || list->entries[i].is_muted)
            continue;
        list->entries[i].is_muted = true;
        has_muted = true;
    }
    return has_muted;
}

bool incidents_quiet(struct incidents *list, struct incidents_entry *entry,
                     int64_t until_ms)
{
    assert(entry >= list->entries && entry < list->entries + list->count);
    if (entry->quiet_until_ms == until_ms)
        return false;
    entry->quiet_until_ms = until_ms;
    if (until_ms != 0) {
        list->has_to_mute |= is_told(entry) && !entry->is_muted;
        entry->is_muted = true;
    } else if (entry->is_muted) {
        entry->is_muted = false;
        entry->told = 0;
    }
    return true;
}

/* ---- keeping ---- */

static void put_text(struct buf *out, const char *text)
{
    buf_blob(out, text, strlen(text));
}

static bool take_text(struct buf_reader *in, char *to, size_t size)
{
    size_t len;
    const char *text = buf_read_blob(in, &len);
    if (text == NULL || len >= size || memchr(text, '\0', len) != NULL)
        return false;
    memcpy(to, text, len);
    to[len] = '\0';
    return true;
}

static void save_entry(const struct incidents_entry *entry, struct buf *out)
{
    put_text(out, entry->id);
    put_text(out, entry->rule);
    put_text(out, entry->zone);
    put_text(out, entry->channel);
    put_text(out, entry->quantity);
    put_text(out, alert_kind_name(entry->kind));
    put_text(out, alert_severity_name(entry->severity));
    put_text(out, incident_state_name(entry->state));
    buf_zigzag(out, entry->onset_ms);
    buf_zigzag(out, entry->opened_ms);
    buf_f64(out, entry->limit);
    buf_f64(out, entry->value);
    buf_f64(out, entry->worst);
    buf_varint(out, entry->told);
    buf_u8(out, entry->is_muted);
    buf_u8(out, entry->is_idle);
    buf_zigzag(out, entry->carried_until_ms);
    buf_zigzag(out, entry->quiet_until_ms);
    char harm[HARM_TEXT_SIZE];
    harm_format(harm, &entry->harm);
    put_text(out, harm);
}

void incidents_save(const struct incidents *list, struct buf *out)
{
    buf_zigzag(out, list->mute_stamp_ns);
    buf_u8(out, list->has_to_mute);
    buf_varint(out, list->count);
    for (size_t i = 0; i < list->count; i++)
        save_entry(&list->entries[i], out);
}

static bool load_words(struct incidents_entry *entry, struct buf_reader *in)
{
    char kind[ID_SIZE];
    char severity[ID_SIZE];
    char state[ID_SIZE];
    return take_text(in, entry->id, sizeof entry->id) &&
           take_text(in, entry->rule, sizeof entry->rule) &&
           take_text(in, entry->zone, sizeof entry->zone) &&
           take_text(in, entry->channel, sizeof entry->channel) &&
           take_text(in, entry->quantity, sizeof entry->quantity) &&
           take_text(in, kind, sizeof kind) && alert_kind_parse(&entry->kind, kind) &&
           take_text(in, severity, sizeof severity) &&
           alert_severity_parse(&entry->severity, severity) &&
           take_text(in, state, sizeof state) &&
           incident_state_parse(&entry->state, state);
}

static bool load_harm(struct harm *harm, struct buf_reader *in)
{
    char text[HARM_TEXT_SIZE];
    return take_text(in, text, sizeof text) && harm_parse(harm, text);
}

static bool load_entry(struct incidents_entry *entry, unsigned version,
                       struct buf_reader *in)
{
    if (!load_words(entry, in))
        return false;
    entry->onset_ms = buf_read_zigzag(in);
    entry->opened_ms = buf_read_zigzag(in);
    entry->limit = buf_read_f64(in);
    entry->value = buf_read_f64(in);
    entry->worst = buf_read_f64(in);
    entry->told = (unsigned)buf_read_varint(in);
    entry->is_muted = buf_read_u8(in) != 0;
    entry->is_idle = buf_read_u8(in) != 0;
    entry->carried_until_ms = buf_read_zigzag(in);
    if (version >= VERSION_QUIET)
        entry->quiet_until_ms = buf_read_zigzag(in);
    if (version >= INCIDENTS_SAVED_VERSION && !load_harm(&entry->harm, in))
        return false;
    return !in->failed;
}

bool incidents_load(struct incidents *list, unsigned version, struct buf_reader *in)
{
    list->mute_stamp_ns = buf_read_zigzag(in);
    if (version >= VERSION_QUIET)
        list->has_to_mute = buf_read_u8(in) != 0;
    uint64_t count = buf_read_varint(in);
    if (in->failed || count > ENTRIES_MAX)
        return false;
    for (uint64_t i = 0; i < count; i++)
        if (!load_entry(add(list), version, in))
            return false;
    return true;
}
