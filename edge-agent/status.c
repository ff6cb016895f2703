// SPDX-License-Identifier: Apache-2.0
#include "edge-agent/status.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "base/clock.h"
#include "base/mem.h"
#include "edge-agent/sensors/sensors.h"
#include "telemetry/topic.h"

static json_t *channel_json(const struct sensor_channel *channel)
{
    json_t *json = json_pack("{s:s}", "name", channel->name);
    if (sensor_is_calibrated(channel)) {
        json_object_set_new(json, "gain", json_real(channel->gain));
        json_object_set_new(json, "offset", json_real(channel->offset));
    }
    if (channel->certificate != NULL)
        json_object_set_new(json, "certificate", json_string(channel->certificate));
    if (channel->due != NULL)
        json_object_set_new(json, "due", json_string(channel->due));
    return json;
}

/* What another wrote may hold anything. */
static json_t *plain_text(const char *text)
{
    struct buf plain = {0};
    for (; *text != '\0'; text++)
        buf_u8(&plain, *text >= ' ' && *text <= '~' ? (uint8_t)*text : '?');
    json_t *json = json_stringn(plain.data, plain.len);
    buf_fini(&plain);
    return json;
}

/* What the collector says that is not known here. */
static void add_notes(json_t *json, const struct zone_notes *notes)
{
    json_t *unknown = json_array();
    for (size_t i = 0; i < notes->unknown_count; i++)
        json_array_append_new(unknown, json_string(notes->unknown[i]));
    if (notes->unknown_count > 0)
        json_object_set(json, "unknown", unknown);
    json_decref(unknown);
    if (notes->left_out > 0)
        json_object_set_new(json, "left_out", json_integer((json_int_t)notes->left_out));
}

static json_t *rules_json(const struct rules *rules)
{
    char version[17];
    const struct zone_notes notes = rules_notes(rules);
    json_t *json = json_pack("{s:i, s:I}", "form", ZONE_RULES_FORM, "refused",
                             (json_int_t)rules->refused);
    add_notes(json, &notes);
    if (rules->in_force.version != 0)
        json_object_set_new(json, "version",
                            json_string(epoch_format(rules->in_force.version, version)));
    if (rules->why.text[0] != '\0')
        json_object_set_new(json, "why", plain_text(rules->why.text));
    return json;
}

void status_online(const struct settings *settings, const struct rules *rules,
                   int64_t wall_ms, struct buf *out)
{
    json_t *channels = json_array();
    for (size_t i = 0; i < settings->sensor_count; i++)
        for (size_t j = 0; j < settings->sensors[i].channel_count; j++)
            json_array_append_new(channels,
                                  channel_json(&settings->sensors[i].channels[j]));
    json_t *json = json_pack("{s:s, s:s, s:I, s:o, s:o}", "state", "online", "version",
                             COLDCHAIN_VERSION, "since", (json_int_t)wall_ms, "channels",
                             channels, "config", rules_json(rules));
    char *text = json_dumps(json, JSON_COMPACT);
    if (text != NULL) /* NULL: a name that is not UTF-8 */
        buf_text(out, text);
    free(text);
    json_decref(json);
}

const char *status_offline(char text[STATUS_OFFLINE_MAX], const char *reason)
{
    snprintf(text, STATUS_OFFLINE_MAX, "{\"state\":\"offline\",\"reason\":\"%s\"}",
             reason);
    return text;
}

static void put_number(struct buf *out, const char *name, double value)
{
    if (isfinite(value))
        buf_format(out, ",\"%s\":%.10g", name, value);
}

/* As the siren has it. */
static void put_harm(struct buf *out, const struct harm *harm)
{
    if (harm->at_ms == 0)
        return;
    put_number(out, "air", harm->air_C);
    put_number(out, "band_low", harm->band_low_C);
    put_number(out, "band_high", harm->band_high_C);
    if (!harm->has_goods)
        return;
    put_number(out, "goods", harm->goods_C.mid);
    buf_format(out, ",\"harm\":\"%s\",\"tau_from\":\"%s\"",
               harm_outlook_name(harm->outlook), harm_basis_name(harm->basis));
    if (harm->outlook != HARM_COMES)
        return;
    put_number(out, "harm_minutes", harm->minutes.mid);
    put_number(out, "harm_minutes_low", harm->minutes.low);
    put_number(out, "harm_minutes_high", harm->minutes.high);
}

/* Every name in it is an identifier. */
static void put_incident(struct buf *out, const struct incidents_entry *entry)
{
    char since[CLOCK_ISO_MAX];
    char opened[CLOCK_ISO_MAX];
    buf_format(out,
               "{\"id\":\"%s\",\"rule\":\"%s\",\"zone\":\"%s\",\"channel\":\"%s\","
               "\"kind\":\"%s\",\"severity\":\"%s\",\"state\":\"%s\","
               "\"since\":\"%s\",\"opened\":\"%s\"",
               entry->id, entry->rule, entry->zone, entry->channel,
               alert_kind_name(entry->kind), alert_severity_name(entry->severity),
               incident_state_name(entry->state),
               clock_format_iso(since, entry->onset_ms),
               clock_format_iso(opened, entry->opened_ms));
    put_number(out, "value", entry->value);
    put_number(out, "worst", entry->worst);
    put_number(out, "limit", entry->limit);
    put_harm(out, &entry->harm);
    buf_format(out, ",\"is_told\":%s,\"is_muted\":%s}", entry->told ? "true" : "false",
               entry->is_muted ? "true" : "false");
}

static void put_incidents(struct buf *out, const struct incidents *list)
{
    bool is_first = true;
    if (list == NULL)
        return;
    buf_text(out, ",\"incidents\":[");
    for (size_t i = 0; i < list->count; i++) {
        const struct incidents_entry *entry = &list->entries[i];
        if (entry->is_idle || entry->state == INCIDENT_CLOSED)
            continue;
        buf_text(out, is_first ? "" : ",");
        put_incident(out, entry);
        is_first = false;
    }
    buf_text(out, "]");
}

void status_format(const struct status *status, struct buf *out)
{
    buf_format(out, "{\"is_connected\":%s,\"has_ended\":%s,\"is_ringing\":%s",
               status->is_connected ? "true" : "false",
               status->has_ended ? "true" : "false",
               status->is_ringing ? "true" : "false");
    if (status->rules_version != 0)
        buf_format(out, ",\"rules_version\":\"%016llx\"",
                   (unsigned long long)status->rules_version);
#define X(name) buf_format(out, ",\"%s\":%llu", #name, (unsigned long long)status->name);
    STATUS_LIST(X)
#undef X
    put_incidents(out, status->incidents);
    buf_text(out, "}\n");
}

static enum err write_file(const char *path, const struct buf *text)
{
    FILE *file = fopen(path, "wb");
    if (file == NULL)
        return err_from_errno(errno);
    bool written = fwrite(text->data, 1, text->len, file) == text->len;
    bool closed = fclose(file) == 0;
    return written && closed ? ERR_OK : ERR_IO;
}

enum err status_write(const struct status *status, const char *path)
{
    struct buf text = {0};
    status_format(status, &text);
    char *beside = mem_format("%s.new", path);
    enum err err = write_file(beside, &text);
    if (err == ERR_OK && rename(beside, path) != 0)
        err = err_from_errno(errno);
    free(beside);
    buf_fini(&text);
    return err;
}
