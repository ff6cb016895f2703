// SPDX-License-Identifier: Apache-2.0
/*
 * placements - where channels measure, and since when.
 *
 * Two placements of one channel never overlap. What is said of the past leaves
 * corrections behind: stretches of time in which readings were taken for another zone's.
 */
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "collector/command/internal.h"
#include "collector/store/state_entities.h"
#include "telemetry/channel.h"

/* ---- one placement --------------------------------------------------------------------
 */

struct span {
    const char *zone; /* "": nothing */
    int64_t from_ms;
    int64_t to_ms; /* exclusive; INT64_MAX: open */
};

static struct span span_of(const struct entity *placement)
{
    if (placement->body == NULL)
        return (struct span){.zone = ""};
    json_int_t to = json_integer_value(json_object_get(placement->body, "to"));
    return (struct span){
        .zone = entity_text(placement, "zone"),
        .from_ms = json_integer_value(json_object_get(placement->body, "from")),
        .to_ms = to != 0 ? to : INT64_MAX,
    };
}

static const char *zone_at(const struct span *span, int64_t ms)
{
    return ms >= span->from_ms && ms < span->to_ms ? span->zone : "";
}

static int64_t least(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

/* The next of the four bounds behind `ms`, at most `now_ms`. */
static int64_t next_bound(const struct span *a, const struct span *b, int64_t ms,
                          int64_t now_ms)
{
    const int64_t bounds[] = {a->from_ms, a->to_ms, b->from_ms, b->to_ms};
    int64_t next = now_ms;
    for (size_t i = 0; i < sizeof bounds / sizeof bounds[0]; i++)
        if (bounds[i] > ms)
            next = least(next, bounds[i]);
    return next;
}

/* Where the past is another one than was thought. */
static enum err note_corrections(struct change *change, const struct entity *placement,
                                 const struct span *old, const struct span *new)
{
    enum err err = ERR_OK;
    int64_t end_ms;
    for (int64_t ms = 0; err == ERR_OK && ms < change->now_ms; ms = end_ms) {
        end_ms = next_bound(old, new, ms, change->now_ms);
        const struct state_correction correction = {
            .org = placement->org,
            .device = entity_text(placement, "device"),
            .channel = entity_text(placement, "channel"),
            .from_ms = ms,
            .to_ms = end_ms,
            .old_zone = zone_at(old, ms),
            .new_zone = zone_at(new, ms),
            .at_ms = change->now_ms,
            .command = change->command->id,
        };
        if (strcmp(correction.old_zone, correction.new_zone) != 0)
            err = state_add_correction(change->state, &correction);
    }
    return err;
}

/* ---- the others of the device ---------------------------------------------------------
 */

struct search {
    const struct entity *of; /* NULL: all */
    const char *channel;
    struct span span;
    struct entity found;
    size_t count;
};

static bool overlaps(const struct span *a, const struct span *b)
{
    return a->from_ms < b->to_ms && b->from_ms < a->to_ms;
}

/* The earliest that overlaps. */
static void on_other(void *context, const struct state_entity *row)
{
    struct search *search = context;
    struct entity other = {.kind = "placement", .version = row->version};
    snprintf(other.id, sizeof other.id, "%s", row->id);
    snprintf(other.org, sizeof other.org, "%s", row->org);
    other.body = json_loads(row->body, 0, NULL);
    struct span span = span_of(&other);
    bool is_it =
        strcmp(entity_text(&other, "channel"), search->channel) == 0 &&
        (search->of == NULL || strcmp(other.id, search->of->id) != 0) &&
        overlaps(&span, &search->span) &&
        (search->found.body == NULL || span.from_ms < span_of(&search->found).from_ms);
    if (!is_it) {
        entity_fini(&other);
        return;
    }
    entity_fini(&search->found);
    search->found = other;
}

/* The placement of that channel that overlaps; no body when there is none. */
static enum err find_overlap(struct change *change, const char *device,
                             const char *channel, const struct span *span,
                             const struct entity *but, struct entity *found)
{
    struct search search = {.of = but, .channel = channel, .span = *span};
    enum err err =
        state_each_entity(change->state, "placement", device, NULL, &search, on_other);
    *found = search.found;
    return err;
}

static const char *time_text(char text[CLOCK_ISO_MAX], int64_t ms)
{
    if (ms == 0)
        return "the beginning";
    return ms == INT64_MAX ? "now on" : clock_format_iso(text, ms);
}

static enum err refuse_overlap(const struct entity *other, struct err_text *why)
{
    char from[CLOCK_ISO_MAX];
    char to[CLOCK_ISO_MAX];
    struct span span = span_of(other);
    const char *channel = entity_text(other, "channel");
    return err_set(
        why, ERR_EXISTS,
        "%s of device '%s' measures zone '%s' from %s to %s already (placement %s); end "
        "that one first, or say placement.move, or placement.correct when it was wrong",
        channel[0] != '\0' ? channel : "all", entity_text(other, "device"), span.zone,
        time_text(from, span.from_ms), time_text(to, span.to_ms), other->id);
}

/* ---- writing one ----------------------------------------------------------------------
 */

static enum err check_zone(struct change *change, struct entity *placement,
                           struct err_text *why)
{
    struct entity zone = {0};
    enum err err =
        change_need(change, "zone", entity_text(placement, "zone"), &zone, why);
    if (err == ERR_OK && json_is_true(json_object_get(zone.body, "archived")))
        err = err_set(why, ERR_INVALID, "zone '%s' is archived; bring it back first",
                      zone.id);
    if (err == ERR_OK && placement->org[0] != '\0' &&
        strcmp(placement->org, zone.org) != 0)
        err = err_set(why, ERR_INVALID,
                      "zone '%s' belongs to organisation '%s', the device to '%s'",
                      zone.id, zone.org, placement->org);
    if (err == ERR_OK)
        snprintf(placement->org, sizeof placement->org, "%s", zone.org);
    entity_fini(&zone);
    return err;
}

static enum err check_span(const struct entity *placement, struct err_text *why)
{
    struct span span = span_of(placement);
    struct channel name;
    const char *channel = entity_text(placement, "channel");
    if (channel[0] != '\0' && channel_parse(&name, channel) != ERR_OK)
        return err_set(why, ERR_INVALID,
                       "'%s' is not a channel, such as air_temperature-2", channel);
    if (span.to_ms <= span.from_ms)
        return err_set(why, ERR_INVALID, "a placement ends after it begins");
    return ERR_OK;
}

/* Checks all of it, writes it, and notes what follows for the past. */
static enum err settle(struct change *change, struct entity *placement,
                       struct err_text *why)
{
    struct entity old = {0};
    struct entity other = {0};
    const char *device = entity_text(placement, "device");
    enum err err = check_span(placement, why);
    if (err == ERR_OK)
        err = check_zone(change, placement, why);
    if (err == ERR_OK)
        err = device_declare(change, device, placement->org, why);
    struct span span = span_of(placement);
    if (err == ERR_OK)
        err = find_overlap(change, device, entity_text(placement, "channel"), &span,
                           placement, &other);
    if (err == ERR_OK && other.body != NULL)
        err = refuse_overlap(&other, why);
    if (err == ERR_OK)
        err = change_get(change, "placement", placement->id, &old);
    struct span was = span_of(&old);
    if (err == ERR_OK)
        err = note_corrections(change, placement, &was, &span);
    if (err == ERR_OK)
        err = change_put(change, placement, device);
    entity_fini(&old);
    entity_fini(&other);
    return err;
}

static enum err put_new(struct change *change, const char *id, json_t *body,
                        struct err_text *why)
{
    struct entity placement = {.kind = "placement", .body = body};
    snprintf(placement.id, sizeof placement.id, "%s", id);
    json_object_set_new(body, "by", json_string(change->command->actor));
    enum err err = settle(change, &placement, why);
    entity_fini(&placement);
    return err;
}

/* ---- the verbs ------------------------------------------------------------------------
 */

static bool same_text(const struct entity *entity, const json_t *body, const char *field)
{
    const char *text = json_string_value(json_object_get(body, field));
    return strcmp(entity_text(entity, field), text != NULL ? text : "") == 0;
}

/* Said again word by word: nothing to do. */
static bool is_same(const struct entity *entity, const json_t *body)
{
    static const char *const times[] = {"from", "to"};
    bool same = entity->body != NULL && same_text(entity, body, "device") &&
                same_text(entity, body, "channel") && same_text(entity, body, "zone");
    for (size_t i = 0; same && i < 2; i++)
        same = json_integer_value(json_object_get(entity->body, times[i])) ==
               json_integer_value(json_object_get(body, times[i]));
    return same;
}

static json_t *body_of(struct change *change)
{
    json_t *body = json_object();
    const char *const fields[] = {"device", "channel", "zone", "to"};
    for (size_t i = 0; i < sizeof fields / sizeof fields[0]; i++)
        if (change_has(change, fields[i]))
            json_object_set(body, fields[i], json_object_get(change->body, fields[i]));
    json_object_set_new(body, "from",
                        json_integer(change_ms(change, "from", change->now_ms)));
    return body;
}

enum err placement_put(struct change *change, struct err_text *why)
{
    char id[ID_SIZE];
    struct entity other = {0};
    struct entity at = {0};
    change_draw_id(change, "p-", id);
    if (change_has(change, "id"))
        snprintf(id, sizeof id, "%s", change_text(change, "id"));
    json_t *body = body_of(change);
    const struct entity made = {.kind = "placement", .body = body};
    struct span span = span_of(&made);
    const char *channel = change_text(change, "channel");
    enum err err = find_overlap(change, change_text(change, "device"),
                                channel != NULL ? channel : "", &span, NULL, &other);
    if (err == ERR_OK && is_same(&other, body)) {
        err = change_put(change, &other, change_text(change, "device"));
        json_decref(body);
    } else if (err == ERR_OK) {
        err = change_open(change, "placement", id, &at, why);
        if (err == ERR_OK)
            err = put_new(change, id, body, why);
        else
            json_decref(body);
    } else {
        json_decref(body);
    }
    entity_fini(&at);
    entity_fini(&other);
    return err;
}

/* By its id, or as the one of device and channel that is in force at `at_ms`. */
static enum err find_one(struct change *change, int64_t at_ms, struct entity *placement,
                         struct err_text *why)
{
    const char *id = change_text(change, "id");
    const char *device = change_text(change, "device");
    const char *channel = change_text(change, "channel");
    struct span now = {.from_ms = at_ms, .to_ms = at_ms + 1};
    struct entity found = {0};
    *placement = (struct entity){0};
    if ((id == NULL) == (device == NULL))
        return err_set(why, ERR_INVALID,
                       "name the placement by 'id', or by 'device' "
                       "(and 'channel')");
    enum err err = ERR_OK;
    if (id == NULL) {
        err = find_overlap(change, device, channel != NULL ? channel : "", &now, NULL,
                           &found);
        if (err == ERR_OK && found.body == NULL)
            err = err_set(why, ERR_NOT_FOUND,
                          "device '%s' has no placement of %s then; 'coldchainctl "
                          "get placements' lists them",
                          device, channel != NULL ? channel : "all its channels");
    }
    if (err == ERR_OK)
        err =
            change_open(change, "placement", id != NULL ? id : found.id, placement, why);
    if (err == ERR_OK && placement->body == NULL)
        err = err_set(why, ERR_NOT_FOUND, "there is no placement '%s'", id);
    entity_fini(&found);
    return err;
}

enum err placement_end(struct change *change, struct err_text *why)
{
    struct entity placement = {0};
    int64_t at_ms = change_ms(change, "at", change->now_ms);
    /* What ends at that time was in force just before. */
    enum err err = find_one(change, at_ms - 1, &placement, why);
    if (err == ERR_OK) {
        json_object_set_new(placement.body, "to", json_integer(at_ms));
        err = settle(change, &placement, why);
    }
    entity_fini(&placement);
    return err;
}

enum err placement_correct(struct change *change, struct err_text *why)
{
    static const char *const fields[] = {"zone", "from", "to"};
    struct entity placement = {0};
    enum err err =
        change_open(change, "placement", change_text(change, "id"), &placement, why);
    if (err == ERR_OK && placement.body == NULL)
        err = err_set(why, ERR_NOT_FOUND, "there is no placement '%s'",
                      change_text(change, "id"));
    for (size_t i = 0; err == ERR_OK && i < sizeof fields / sizeof fields[0]; i++) {
        json_t *value = json_object_get(change->body, fields[i]);
        if (json_is_null(value) && strcmp(fields[i], "to") == 0)
            json_object_del(placement.body, "to");
        else if (value != NULL && !json_is_null(value))
            json_object_set(placement.body, fields[i], value);
    }
    if (err == ERR_OK)
        err = settle(change, &placement, why);
    entity_fini(&placement);
    return err;
}

/* The placement that was in force until `from_ms` ends then, or is made to be another. */
static enum err take_over(struct change *change, struct entity *placement,
                          int64_t from_ms, json_t *body, struct err_text *why)
{
    char id[ID_SIZE];
    const json_t *to = json_object_get(placement->body, "to");
    if (to != NULL && !change_has(change, "to"))
        json_object_set(body, "to", (json_t *)(uintptr_t)to);
    if (span_of(placement).from_ms == from_ms) {
        json_object_set(placement->body, "zone", json_object_get(body, "zone"));
        json_decref(body);
        return settle(change, placement, why);
    }
    json_object_set_new(placement->body, "to", json_integer(from_ms));
    enum err err = settle(change, placement, why);
    if (err != ERR_OK) {
        json_decref(body);
        return err;
    }
    change_draw_id(change, "p-", id);
    return put_new(change, id, body, why);
}

enum err placement_move(struct change *change, struct err_text *why)
{
    struct entity placement = {0};
    int64_t from_ms = change_ms(change, "from", change->now_ms);
    struct span then = {.from_ms = from_ms, .to_ms = from_ms + 1};
    const char *channel = change_text(change, "channel");
    enum err err = find_overlap(change, change_text(change, "device"),
                                channel != NULL ? channel : "", &then, NULL, &placement);
    if (err == ERR_OK && placement.body == NULL)
        err = err_set(why, ERR_NOT_FOUND,
                      "%s of device '%s' measured nothing then, so there is nothing to "
                      "move; say placement.put",
                      channel != NULL ? channel : "all", change_text(change, "device"));
    if (err == ERR_OK)
        err = take_over(change, &placement, from_ms, body_of(change), why);
    entity_fini(&placement);
    return err;
}

/* ---- for the other files --------------------------------------------------------------
 */

struct of_zone {
    const char *zone;
    int64_t at_ms;
    char *id;
};

static void on_of_zone(void *context, const struct state_entity *row)
{
    struct of_zone *search = context;
    struct entity placement = {.body = json_loads(row->body, 0, NULL)};
    struct span span = span_of(&placement);
    if (search->id[0] == '\0' && strcmp(span.zone, search->zone) == 0 &&
        span.to_ms > search->at_ms)
        snprintf(search->id, ID_SIZE, "%.64s", row->id);
    entity_fini(&placement);
}

enum err placement_of_zone(struct change *change, const char *zone, int64_t at_ms,
                           char id[ID_SIZE])
{
    struct of_zone search = {.zone = zone, .at_ms = at_ms, .id = id};
    id[0] = '\0';
    return state_each_entity(change->state, "placement", NULL, NULL, &search, on_of_zone);
}

static void on_mine(void *context, const struct state_entity *row)
{
    json_array_append_new(context, json_string(row->id));
}

/* One placement of the old device, in force at `at_ms` or later. */
static enum err hand_over(struct change *change, struct entity *placement, const char *by,
                          int64_t at_ms, struct err_text *why)
{
    char id[ID_SIZE];
    json_t *body = json_deep_copy(placement->body);
    json_object_set_new(body, "device", json_string(by));
    enum err err = ERR_OK;
    if (span_of(placement).from_ms < at_ms) {
        json_object_set_new(placement->body, "to", json_integer(at_ms));
        json_object_set_new(body, "from", json_integer(at_ms));
        err = settle(change, placement, why);
    } else {
        err = change_delete(change, placement);
    }
    if (err != ERR_OK) {
        json_decref(body);
        return err;
    }
    change_draw_id(change, "p-", id);
    return put_new(change, id, body, why);
}

enum err placements_hand_over(struct change *change, const char *org, const char *old,
                              const char *by, int64_t at_ms, struct err_text *why)
{
    json_t *ids = json_array();
    enum err err = state_each_entity(change->state, "placement", old, org, ids, on_mine);
    for (size_t i = 0; err == ERR_OK && i < json_array_size(ids); i++) {
        struct entity placement = {0};
        err = change_get(change, "placement", json_string_value(json_array_get(ids, i)),
                         &placement);
        if (err == ERR_OK && placement.body != NULL && span_of(&placement).to_ms > at_ms)
            err = hand_over(change, &placement, by, at_ms, why);
        entity_fini(&placement);
    }
    json_decref(ids);
    return err;
}
