// SPDX-License-Identifier: Apache-2.0
/*
 * incidents - what was wrong and who was told; quarantine, outbox, sinks.
 */
#include <assert.h>
#include <inttypes.h>
#include <jansson.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "collector/api/internal.h"
#include "collector/api/routes.h"
#include "collector/api/sight.h"
#include "collector/notify/message_harm.h"
#include "collector/store/state_causes.h"
#include "collector/store/state_delivery.h"
#include "collector/store/state_entities.h"
#include "collector/store/state_escalation.h"
#include "collector/store/state_incidents.h"
#include "telemetry/topic.h"

#define LIMIT_DEFAULT 100
#define LIMIT_MAX     1000

static void put_number(json_t *object, const char *key, double value)
{
    json_object_set_new(object, key, isfinite(value) ? json_real(value) : json_null());
}

json_t *api_incident_json(const struct incident *incident)
{
    json_t *entry =
        json_pack("{s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:b, s:s, s:I}", "id",
                  incident->id, "rule", incident->rule, "zone", incident->zone, "device",
                  incident->device, "channel", incident->channel, "quantity",
                  incident->quantity, "kind", alert_kind_name(incident->kind), "severity",
                  alert_severity_name(incident->severity), "state",
                  incident_state_name(incident->state), "acknowledged",
                  incident->is_acknowledged, "acknowledged_by", incident->acknowledged_by,
                  "revision", (json_int_t)incident->revision);
    assert(entry != NULL);
    api_put_time(entry, "acknowledged_at", incident->acknowledged_ms);
    api_put_time(entry, "onset", incident->onset_ms);
    api_put_time(entry, "opened", incident->opened_ms);
    api_put_time(entry, "learned", incident->learned_ms);
    api_put_time(entry, "changed", incident->changed_ms);
    api_put_time(entry, "back", incident->back_ms);
    api_put_time(entry, "closed", incident->closed_ms);
    api_put_time(entry, "withdrawn", incident->withdrawn_ms);
    put_number(entry, "limit", incident->limit);
    put_number(entry, "value", incident->value);
    put_number(entry, "worst", incident->worst);
    bool is_between = incident->worst_high > 0;
    put_number(entry, "worst_low", is_between ? incident->worst_low : (double)NAN);
    put_number(entry, "worst_high", is_between ? incident->worst_high : (double)NAN);
    json_t *life = json_loads(incident->life, 0, NULL);
    json_object_set_new(entry, "life", life != NULL ? life : json_null());
    json_object_set_new(entry, "harm", message_harm_json(&incident->harm));
    return entry;
}

/* What stands beside it; nothing when it cannot be read. */
static void put_care(struct api_call *call, json_t *entry, const char *id)
{
    struct state_care care;
    if (state_get_care(call->stores->state, id, &care) != ERR_OK)
        return;
    json_object_set_new(entry, "cause", json_string(care.cause));
    json_object_set_new(entry, "told", json_boolean(care.is_told));
    json_object_set_new(entry, "acknowledge_reason",
                        api_json_text(care.acknowledge_reason));
    json_object_set_new(entry, "assigned_to", json_string(care.assigned_to));
    api_put_time(entry, "assigned_at", care.assigned_ms);
    api_put_time(entry, "snoozed_until", care.snoozed_until_ms);
    api_put_time(entry, "reminded_at", care.reminded_ms);
    const struct state_closing *closing = &care.closing;
    json_t *closed = json_null();
    if (closing->by[0] != '\0')
        closed = json_pack("{s:s, s:s, s:s, s:s, s:o}", "by", closing->by, "cause",
                           closing->cause, "action", closing->action, "disposition",
                           closing->disposition, "note", api_json_text(closing->note));
    json_object_set_new(entry, "closing", closed);
}

struct incident_page {
    struct api_call *call;
    json_t *list;
    size_t limit;
    int64_t last_ms; /* of the last one given */
    char last[ALERT_ID_SIZE];
    size_t read; /* of this turn, seen by the caller or not */
    int64_t read_ms;
    char read_last[ALERT_ID_SIZE];
};

static void on_incident(void *context, const struct incident *incident)
{
    struct incident_page *page = context;
    page->read++;
    page->read_ms = incident->opened_ms;
    snprintf(page->read_last, sizeof page->read_last, "%s", incident->id);
    if (json_array_size(page->list) == page->limit ||
        !api_sees_incident(page->call, incident))
        return;
    json_array_append_new(page->list, api_incident_json(incident));
    page->last_ms = incident->opened_ms;
    snprintf(page->last, sizeof page->last, "%s", incident->id);
}

/* The page was read: one statement at a time. */
static void put_cares(struct api_call *call, const json_t *list)
{
    for (size_t i = 0; i < json_array_size(list); i++) {
        json_t *entry = json_array_get(list, i);
        put_care(call, entry, json_string_value(json_object_get(entry, "id")));
    }
}

/* Goes on until the page is full: what the caller does not see leaves no trace in it. */
static enum err fill_incidents(struct api_call *call, struct state_incident_query query,
                               struct incident_page *page)
{
    enum err err;
    do {
        page->read = 0;
        err = state_page_incidents(call->stores->state, &query, page, on_incident);
        query.cursor_ms = page->read_ms;
        query.cursor = page->read_last;
    } while (err == ERR_OK && page->read == query.limit &&
             json_array_size(page->list) < page->limit);
    return err;
}

/* "open,recovering": a bit each. */
static bool parse_states(unsigned *states, const char *text)
{
    *states = 0;
    while (text != NULL && *text != '\0') {
        char word[32];
        size_t len = strcspn(text, ",");
        if (len >= sizeof word)
            return false;
        memcpy(word, text, len);
        word[len] = '\0';
        enum incident_state state;
        if (!incident_state_parse(&state, word))
            return false;
        *states |= 1u << state;
        text += len + (text[len] == ',');
    }
    return true;
}

/* "MILLISECONDS-ID", as `next` of the page before gave it. */
static bool parse_cursor(struct state_incident_query *query, const char *text,
                         char id[ALERT_ID_SIZE])
{
    if (text == NULL)
        return true;
    char end;
    if (sscanf(text, "%" SCNd64 "-%32[0-9a-f]%c", &query->cursor_ms, id, &end) != 2)
        return false;
    query->cursor = id;
    return true;
}

static bool read_incident_query(struct api_call *call, struct state_incident_query *query,
                                char id[ALERT_ID_SIZE])
{
    uint64_t limit;
    query->zone = api_param(call, "zone");
    query->cause = api_param(call, "cause");
    if (query->cause != NULL && !id_is_valid(query->cause))
        return api_refuse(call, PROBLEM_PARAMETER_NOT_A_NAME, "name", "cause", NULL);
    if (query->zone != NULL && !id_is_valid(query->zone))
        return api_refuse(call, PROBLEM_PARAMETER_NOT_A_NAME, "name", "zone", NULL);
    if (!parse_states(&query->states, api_param(call, "state")))
        return api_refuse(call, PROBLEM_PARAMETER_NOT_A_CHOICE, "name", "state",
                          "choices", "open, recovering, unknown, closed", NULL);
    const char *withdrawn = api_param(call, "withdrawn");
    if (withdrawn != NULL && strcmp(withdrawn, "include") != 0)
        return api_refuse(call, PROBLEM_PARAMETER_NOT_A_CHOICE, "name", "withdrawn",
                          "choices", "include", NULL);
    query->with_withdrawn = withdrawn != NULL;
    if (!parse_cursor(query, api_param(call, "cursor"), id))
        return api_refuse(call, PROBLEM_PARAMETER_NOT_A_CURSOR, "name", "cursor", NULL);
    if (!api_read_time(call, "from", 0, &query->from_ms) ||
        !api_read_time(call, "to", 0, &query->to_ms) ||
        !api_read_number(call, "limit", 1, LIMIT_MAX, LIMIT_DEFAULT, &limit))
        return false;
    query->limit = (size_t)limit;
    return true;
}

void api_get_incidents(struct api_call *call)
{
    struct state_incident_query query = {0};
    char id[ALERT_ID_SIZE];
    if (!read_incident_query(call, &query, id))
        return;
    if (!api_load_places(call))
        return;
    struct incident_page page = {
        .call = call, .list = json_array(), .limit = query.limit};
    enum err err = fill_incidents(call, query, &page);
    if (err != ERR_OK) {
        json_decref(page.list);
        api_store_problem(call, err);
        return;
    }
    json_t *next = json_null();
    if (json_array_size(page.list) == query.limit)
        next = json_sprintf("%" PRId64 "-%s", page.last_ms, page.last);
    put_cares(call, page.list);
    api_dump(call, json_pack("{s:o, s:o}", "incidents", page.list, "next", next));
}

static void on_transition(void *context, const struct state_transition *step)
{
    json_t *entry = json_pack("{s:I, s:s}", "revision", (json_int_t)step->revision,
                              "event", alert_effect_name(step->kind));
    api_put_time(entry, "at", step->at_ms);
    json_t *body = json_loads(step->body, 0, NULL);
    json_object_set_new(entry, "message", body != NULL ? body : json_null());
    json_array_append_new(context, entry);
}

static json_t *message_json(const struct state_message *message)
{
    bool has_contact = message->contact[0] != '\0';
    bool has_step = has_contact && message->step < STATE_STEP_END;
    json_t *entry = json_pack(
        "{s:I, s:s, s:I, s:s, s:s, s:s, s:I, s:o, s:s?, s:o, s:o, s:o}", "id",
        (json_int_t)message->id, "incident", message->incident, "revision",
        (json_int_t)message->revision, "channel", message->channel, "key", message->key,
        "state", state_outbox_name(message->state), "attempts",
        (json_int_t)message->attempts, "last_result", api_json_text(message->last_result),
        "contact", has_contact ? message->contact : NULL, "address",
        has_contact ? json_integer((json_int_t)message->address + 1) : json_null(),
        "step", has_step ? json_integer((json_int_t)message->step + 1) : json_null(),
        "times", has_step ? json_integer((json_int_t)message->times + 1) : json_null());
    assert(entry != NULL);
    api_put_time(entry, "created", message->created_ms);
    api_put_time(entry, "next_attempt",
                 message->state == STATE_OUTBOX_PENDING ? message->next_attempt_ms : 0);
    return entry;
}

static void on_message(void *context, const struct state_message *message)
{
    json_array_append_new(context, message_json(message));
}

static void on_comment(void *context, const struct state_comment *comment)
{
    json_t *entry = json_pack("{s:s, s:s, s:o}", "kind", comment->kind, "by",
                              comment->actor, "text", api_json_text(comment->text));
    api_put_time(entry, "at", comment->at_ms);
    json_array_append_new(context, entry);
}

struct member_list {
    struct api_call *call;
    json_t *list;
};

static void on_member(void *context, const struct incident *incident)
{
    struct member_list *members = context;
    if (api_sees_incident(members->call, incident))
        json_array_append_new(members->list, api_incident_json(incident));
}

/* What belongs to it: what people did, and, of one that leads, who follows. */
static enum err put_cause(struct api_call *call, json_t *entry, const char *id)
{
    struct state *state = call->stores->state;
    struct member_list members = {.call = call, .list = json_array()};
    json_t *comments = json_array();
    put_care(call, entry, id);
    json_object_set_new(entry, "comments", comments);
    json_object_set_new(entry, "members", members.list);
    const char *cause = json_string_value(json_object_get(entry, "cause"));
    enum err err = state_each_comment(state, id, comments, on_comment);
    if (err == ERR_OK && cause != NULL)
        err = state_each_member(state, cause, LIMIT_MAX, &members, on_member);
    return err;
}

void api_get_incident(struct api_call *call)
{
    struct incident incident;
    struct state *state = call->stores->state;
    const char *id = call->parts[0];
    if (!api_load_places(call))
        return;
    json_t *steps = json_array();
    json_t *messages = json_array();
    enum err err = state_get_incident(state, id, &incident);
    if (err == ERR_OK)
        err = state_each_transition(state, id, steps, on_transition);
    if (err == ERR_OK)
        err = state_page_messages(state, id, 0, LIMIT_MAX, messages, on_message);
    if (err != ERR_OK) {
        json_decref(steps);
        json_decref(messages);
        api_store_problem(call, err);
        return;
    }
    json_t *entry = api_incident_json(&incident);
    json_t *rule = json_loads(incident.snapshot, 0, NULL);
    json_object_set_new(entry, "rule_in_force", rule != NULL ? rule : json_null());
    json_object_set_new(entry, "transitions", steps);
    json_object_set_new(entry, "messages", messages);
    err = put_cause(call, entry, id);
    if (err != ERR_OK) {
        json_decref(entry);
        api_store_problem(call, err);
        return;
    }
    api_dump(call, entry);
}

/* ---- quarantine, outbox, sinks ----------------------------------------------------- */

/* What is printable of the first bytes. */
static json_t *sample_of(const struct state_quarantined *entry)
{
    char text[129];
    size_t len = entry->len < sizeof text - 1 ? entry->len : sizeof text - 1;
    const unsigned char *data = entry->data;
    for (size_t i = 0; i < len; i++)
        text[i] = data[i] >= 0x20 && data[i] < 0x7f ? (char)data[i] : '.';
    text[len] = '\0';
    return json_string(text);
}

/* A page of what is kept under ids or positions, filtered for the caller. */
struct filtered {
    struct api_call *call;
    json_t *list;
    size_t limit;
    size_t read;                         /* of this turn, seen by the caller or not */
    uint64_t last_id;                    /* read */
    struct state_quarantine_cursor last; /* given */
};

static json_t *quarantined_json(const struct state_quarantined *entry)
{
    char epoch[17];
    json_t *row =
        json_pack("{s:s, s:I, s:I, s:s, s:s, s:o, s:s, s:I, s:s, s:o, s:I, s:o}",
                  "source", entry->source, "position", (json_int_t)entry->position,
                  "item", (json_int_t)entry->item, "org", entry->org, "device",
                  entry->device, "topic", api_json_text(entry->topic), "epoch",
                  epoch_format(entry->epoch, epoch), "seq", (json_int_t)entry->seq,
                  "reason", entry->reason, "detail", api_json_text(entry->detail), "size",
                  (json_int_t)entry->size, "sample", sample_of(entry));
    assert(row != NULL);
    api_put_time(row, "arrived", entry->arrived_ms);
    return row;
}

static void on_quarantined(void *context, const struct state_quarantined *entry)
{
    struct filtered *page = context;
    page->read++;
    if (json_array_size(page->list) == page->limit ||
        !api_sees_device(page->call, entry->org, entry->device))
        return;
    json_array_append_new(page->list, quarantined_json(entry));
    page->last.position = entry->position;
    page->last.item = entry->item;
    snprintf(page->last.source, sizeof page->last.source, "%s", entry->source);
}

static void on_reason(void *context, const char *reason, uint64_t count)
{
    json_object_set_new(context, reason, json_integer((json_int_t)count));
}

/* "POSITION-ITEM-SOURCE", as `next` of the page before gave it. */
static bool parse_after(struct state_quarantine_cursor *cursor, const char *text)
{
    int end = 0;
    char *rest;
    *cursor = (struct state_quarantine_cursor){0};
    if (text == NULL)
        return true;
    if (sscanf(text, "%*20[0-9]-%*10[0-9]-%n", &end) != 0 || end == 0 ||
        strlen(text + end) >= sizeof cursor->source)
        return false;
    cursor->position = strtoull(text, &rest, 10);
    uint64_t item = strtoull(rest + 1, NULL, 10);
    cursor->item = item < UINT32_MAX ? (uint32_t)item : UINT32_MAX;
    snprintf(cursor->source, sizeof cursor->source, "%s", text + end);
    return true;
}

void api_get_quarantine(struct api_call *call)
{
    uint64_t limit;
    struct state_quarantine_cursor cursor;
    if (!api_read_number(call, "limit", 1, LIMIT_MAX, LIMIT_DEFAULT, &limit))
        return;
    if (!parse_after(&cursor, api_param(call, "after"))) {
        api_refuse(call, PROBLEM_PARAMETER_NOT_A_CURSOR, "name", "after", NULL);
        return;
    }
    if (!api_load_places(call))
        return;
    struct filtered page = {.call = call, .list = json_array(), .limit = (size_t)limit};
    json_t *counts = json_object();
    struct state *state = call->stores->state;
    enum err err;
    do {
        page.read = 0;
        err = state_page_quarantine(state, &cursor, (size_t)limit, &page, on_quarantined);
    } while (err == ERR_OK && page.read == limit && json_array_size(page.list) < limit);
    /* The counts are those of everybody together. */
    if (err == ERR_OK && api_sees_all(call))
        err = state_count_quarantine(state, counts, on_reason);
    if (err != ERR_OK) {
        json_decref(page.list);
        json_decref(counts);
        api_store_problem(call, err);
        return;
    }
    json_t *next = json_null();
    if (json_array_size(page.list) == limit)
        next = json_sprintf("%" PRIu64 "-%" PRIu32 "-%s", page.last.position,
                            page.last.item, page.last.source);
    api_dump(call, json_pack("{s:o, s:o, s:o}", "quarantine", page.list, "counts", counts,
                             "next", next));
}

/* Which incident a message is of is looked up when the page was read. */
static void on_any_message(void *context, const struct state_message *message)
{
    struct filtered *page = context;
    page->read++;
    page->last_id = message->id;
    json_array_append_new(page->list, message_json(message));
}

static bool sees_message(struct api_call *call, const json_t *message)
{
    struct incident incident;
    const char *id = json_string_value(json_object_get(message, "incident"));
    return api_sees_all(call) ||
           (state_get_incident(call->stores->state, id, &incident) == ERR_OK &&
            api_sees_incident(call, &incident));
}

static void take_seen(struct filtered *page, json_t *list)
{
    size_t i;
    json_t *message;
    json_array_foreach(list, i, message)
    {
        if (json_array_size(page->list) < page->limit &&
            sees_message(page->call, message))
            json_array_append(page->list, message);
    }
}

static enum err fill_messages(struct filtered *page, uint64_t after)
{
    struct state *state = page->call->stores->state;
    enum err err;
    struct filtered turn = {.last_id = after};
    do {
        turn.list = json_array();
        turn.read = 0;
        err = state_page_messages(state, NULL, turn.last_id, page->limit, &turn,
                                  on_any_message);
        take_seen(page, turn.list);
        json_decref(turn.list);
    } while (err == ERR_OK && turn.read == page->limit &&
             json_array_size(page->list) < page->limit);
    return err;
}

void api_get_outbox(struct api_call *call)
{
    uint64_t limit;
    uint64_t after;
    if (!api_read_number(call, "limit", 1, LIMIT_MAX, LIMIT_DEFAULT, &limit))
        return;
    if (query_number(&after, api_param(call, "after"), 0, INT64_MAX, 0) != ERR_OK) {
        api_refuse(call, PROBLEM_PARAMETER_NOT_A_CURSOR, "name", "after", NULL);
        return;
    }
    if (!api_load_places(call))
        return;
    struct filtered page = {.call = call, .list = json_array(), .limit = (size_t)limit};
    json_t *list = page.list;
    enum err err = fill_messages(&page, after);
    if (err != ERR_OK) {
        json_decref(list);
        api_store_problem(call, err);
        return;
    }
    size_t count = json_array_size(list);
    json_t *next = json_null();
    if (count == limit)
        next = json_incref(json_object_get(json_array_get(list, count - 1), "id"));
    api_dump(call, json_pack("{s:o, s:o}", "messages", list, "next", next));
}

static void on_sink(void *context, const struct state_sink *sink)
{
    json_t *entry = json_pack(
        "{s:s, s:I, s:s, s:o, s:I, s:I, s:I}", "name", sink->name, "cursor",
        (json_int_t)sink->cursor, "state", sink->state, "last_error",
        api_json_text(sink->last_error), "accepted", (json_int_t)sink->accepted,
        "rejected", (json_int_t)sink->rejected, "retries", (json_int_t)sink->retries);
    assert(entry != NULL);
    json_array_append_new(context, entry);
}

void api_get_sinks(struct api_call *call)
{
    json_t *list = json_array();
    enum err err = state_each_sink(call->stores->state, list, on_sink);
    if (err == ERR_OK) {
        api_dump(call, list);
        return;
    }
    json_decref(list);
    api_store_problem(call, err);
}
