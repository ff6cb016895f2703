// SPDX-License-Identifier: Apache-2.0
/*
 * The databases, and what is sent on: InfluxDB and webhooks.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "coldchainctl/doctor.h"
#include "coldchainctl/show.h"
#include "collector/store/db.h"
#include "collector/store/state_escalation.h"
#include "collector/store/upgrade.h"
#include "net/http.h"

#define CHECK_MS     20000 /* a large file is looked at so long */
#define OLD_MS       ((int64_t)15 * 60000)
#define MESSAGES_MAX 50000 /* of the API's outbox, page by page */

/* ---- integrity -----------------------------------------------------------------------
 */

static enum err quick_check(struct db *db, char first[256])
{
    struct db_rows rows;
    first[0] = '\0';
    db_select(&rows, db, "PRAGMA quick_check(1)", DB_NONE);
    while (db_next(&rows))
        snprintf(first, 256, "%s", db_get_text(&rows, 0));
    return db_end(&rows);
}

static void look_file(struct doctor *doctor, const char *name)
{
    static const char area[] = "database";
    char *path = mem_format("%s/%s", doctor->settings->data_dir, name);
    char first[256] = "";
    struct err_text why = {""};
    struct db *db = NULL;
    int64_t version = 0;
    enum err err = db_open_reader(&db, path, CHECK_MS, &why);
    if (err == ERR_OK)
        err = db_get_one(db, "PRAGMA user_version", DB_NONE, &version);
    if (err == ERR_OK)
        err = quick_check(db, first);
    if (err != ERR_OK && db != NULL)
        err_set(&why, err, "%s: %s", path, db_why(db));
    if (err == ERR_NOT_FOUND)
        doctor_say(doctor, DOCTOR_WARNING, area, "the collector's first start makes it",
                   "%s is not there", path);
    else if (err == ERR_TIMEOUT || err == ERR_BUSY)
        doctor_say(doctor, DOCTOR_OK, area, NULL,
                   "%s, schema %" PRId64 ": large, no damage found in %d s", name,
                   version, CHECK_MS / 1000);
    else if (err == ERR_CORRUPT || (err == ERR_OK && strcmp(first, "ok") != 0))
        doctor_say(doctor, DOCTOR_PROBLEM, area,
                   "stop the collector, keep a copy of the file, and restore the last "
                   "backup (coldchainctl restore); look at the disk",
                   "%s is damaged: %s", path, err == ERR_OK ? first : why.text);
    else if (err != ERR_OK)
        doctor_say(doctor, DOCTOR_PROBLEM, area,
                   "run this as the collector's user, or as root", "%s", why.text);
    else
        doctor_say(doctor, DOCTOR_OK, area, NULL, "%s, schema %" PRId64 ": no damage",
                   name, version);
    db_close(db);
    free(path);
}

static void look_versions(struct doctor *doctor)
{
    struct err_text why = {""};
    char *state = mem_format("%s/state.db", doctor->settings->data_dir);
    char *history = mem_format("%s/history", doctor->settings->data_dir);
    enum err err = upgrade_check(state, history, &why);
    if (err == ERR_UNSUPPORTED)
        doctor_say(doctor, DOCTOR_PROBLEM, "database",
                   "run the newer version again, or restore a backup of this one", "%s",
                   why.text);
    else if (err == ERR_FULL)
        doctor_say(doctor, DOCTOR_PROBLEM, "database",
                   "make room before the collector is started", "%s", why.text);
    free(state);
    free(history);
}

void doctor_look_stores(struct doctor *doctor)
{
    if (doctor->settings == NULL)
        return;
    look_file(doctor, "state.db");
    look_file(doctor, "history/history.db");
    look_versions(doctor);
}

/* ---- InfluxDB ------------------------------------------------------------------------
 */

static void say_sink(struct doctor *doctor, const char *name, const char *state,
                     const char *last_error, int64_t rejected, int64_t cursor)
{
    bool is_ok = strcmp(state, "ok") == 0;
    int64_t synced = json_integer_value(json_object_get(doctor->status, "synced"));
    int64_t segments =
        synced > cursor && cursor > 0 ? (synced >> 32) - (cursor >> 32) : 0;
    if (!is_ok)
        doctor_say(doctor, DOCTOR_PROBLEM, "sinks",
                   "see that it runs and takes the database, user and token of the "
                   "configuration; nothing is lost meanwhile, the journal keeps it",
                   "%s: %s, %" PRId64 " segments behind: %s", name, state, segments,
                   last_error);
    else if (segments > 0 || rejected > 0)
        doctor_say(doctor, DOCTOR_WARNING, "sinks",
                   rejected > 0 ? "see 'coldchainctl quarantine' for what it refused"
                                : "it catches up; see its own load when it does not",
                   "%s: %" PRId64 " segments behind, %" PRId64 " lines refused so far",
                   name, segments, rejected);
    else
        doctor_say(doctor, DOCTOR_OK, "sinks", NULL, "%s: has everything", name);
}

static void sinks_of_api(struct doctor *doctor)
{
    json_t *sinks = NULL;
    struct err_text why = {""};
    size_t i;
    json_t *sink;
    if (client_get(doctor->client, "/api/v1/sinks", &sinks, &why) != ERR_OK) {
        doctor_say(doctor, DOCTOR_WARNING, "sinks", "see the collector's log",
                   "they cannot be listed: %s", why.text);
        return;
    }
    json_array_foreach(sinks, i, sink)
        say_sink(doctor, show_text(sink, "name"), show_text(sink, "state"),
                 show_text(sink, "last_error"),
                 json_integer_value(json_object_get(sink, "rejected")),
                 json_integer_value(json_object_get(sink, "cursor")));
    json_decref(sinks);
}

void doctor_look_url(struct doctor *doctor, const char *area, const char *name,
                     const char *method, const char *url, const char *ca_file)
{
    struct http_client *http = http_client_create();
    struct http_response response;
    struct err_text why = {""};
    const struct http_request request = {
        .method = method,
        .url = url,
        .ca_file = ca_file,
        .timeout_ms = doctor->timeout_ms,
    };
    enum err err = http_send(http, &request, &response, &why);
    if (err == ERR_OK)
        doctor_say(doctor, DOCTOR_OK, area, NULL, "%s: answers (status %d)", name,
                   response.status);
    else
        doctor_say(doctor, DOCTOR_PROBLEM, area,
                   "see that it runs and that its address, its certificate and the way "
                   "to it are right",
                   "%s: does not answer from this machine: %s", name, why.text);
    http_response_fini(&response);
    http_client_destroy(http);
}

/* ---- messages to webhooks ------------------------------------------------------------
 */

struct channel {
    char *name;
    size_t waiting;
    size_t given_up;
    int64_t oldest_ms; /* of those that wait */
    char *last;        /* what came of the last attempt that failed */
};

struct outbox {
    int64_t now_ms;
    struct channel *channels;
    size_t count;
    size_t capacity;
};

/* What is for later, the end of quiet hours, waits for nothing that is wrong. */
static void count_message(struct outbox *outbox, const char *name, const char *state,
                          int64_t attempts, int64_t created_ms, const char *last)
{
    size_t at = 0;
    bool is_waiting = strcmp(state, "pending") == 0;
    bool is_dead = strcmp(state, "dead") == 0 && !state_was_withdrawn(last);
    if ((!is_waiting && !is_dead) || (is_waiting && created_ms > outbox->now_ms))
        return;
    while (at < outbox->count && strcmp(outbox->channels[at].name, name) != 0)
        at++;
    if (at == outbox->count) {
        mem_grow(&outbox->channels, &outbox->capacity, at + 1, sizeof *outbox->channels);
        outbox->channels[outbox->count++] = (struct channel){
            .name = mem_strdup(name), .oldest_ms = INT64_MAX, .last = mem_strdup("")};
    }
    struct channel *channel = &outbox->channels[at];
    channel->waiting += is_waiting;
    channel->given_up += is_dead;
    if (is_waiting && created_ms < channel->oldest_ms)
        channel->oldest_ms = created_ms;
    if (attempts > 0) {
        free(channel->last);
        channel->last = mem_strdup(last);
    }
}

static void say_outbox(struct doctor *doctor, struct outbox *outbox)
{
    char age[32];
    for (size_t i = 0; i < outbox->count; i++) {
        struct channel *channel = &outbox->channels[i];
        int64_t age_ms = channel->waiting > 0 ? doctor->now_ms - channel->oldest_ms : 0;
        enum doctor_level level =
            age_ms > OLD_MS || channel->given_up > 0 ? DOCTOR_PROBLEM : DOCTOR_WARNING;
        doctor_say(
            doctor, level, "sinks",
            "see its last error and the receiver's own log: people are not told "
            "of incidents this way",
            "%s: %zu messages wait, the oldest for %s; %zu were given up; last: %s",
            channel->name, channel->waiting,
            doctor_span(doctor, age, age_ms > 0 ? age_ms : 0), channel->given_up,
            channel->last[0] != '\0' ? channel->last : "-");
        free(channel->name);
        free(channel->last);
    }
    if (outbox->count == 0)
        doctor_say(doctor, DOCTOR_OK, "sinks", NULL, "no message waits");
    free(outbox->channels);
}

static int64_t ms_of(const json_t *object, const char *key)
{
    int64_t ms;
    return clock_parse_iso(&ms, show_text(object, key)) ? ms : 0;
}

static void outbox_of_api(struct doctor *doctor)
{
    struct outbox outbox = {.now_ms = doctor->now_ms};
    struct err_text why;
    char *after = NULL;
    size_t seen = 0;
    do {
        json_t *page = NULL;
        struct buf path = {0};
        size_t i;
        json_t *message;
        buf_text(&path, "/api/v1/outbox?limit=1000");
        client_param(&path, "after", after);
        enum err err = client_get(doctor->client, path.data, &page, &why);
        buf_fini(&path);
        free(after);
        after = NULL;
        if (err != ERR_OK)
            break;
        json_array_foreach(json_object_get(page, "messages"), i, message) count_message(
            &outbox, show_text(message, "channel"), show_text(message, "state"),
            json_integer_value(json_object_get(message, "attempts")),
            ms_of(message, "created"), show_text(message, "last_result"));
        seen += i;
        const json_t *next = json_object_get(page, "next");
        if (json_is_integer(next))
            after = mem_format("%" PRId64, (int64_t)json_integer_value(next));
        else if (json_is_string(next))
            after = mem_strdup(json_string_value(next));
        json_decref(page);
    } while (after != NULL && seen < MESSAGES_MAX);
    free(after);
    say_outbox(doctor, &outbox);
}

static void outbox_of_store(struct doctor *doctor)
{
    char *path = mem_format("%s/state.db", doctor->settings->data_dir);
    struct db *db;
    struct db_rows rows;
    struct outbox outbox = {.now_ms = doctor->now_ms};
    struct err_text why;
    enum err err = db_open_reader(&db, path, doctor->timeout_ms, &why);
    free(path);
    if (err != ERR_OK)
        return; /* doctor_look_stores() tells why */
    db_select(&rows, db,
              "SELECT channel, state, attempts, created_ms, last_result FROM outbox "
              "WHERE state <> 'done' ORDER BY id",
              DB_NONE);
    while (db_next(&rows))
        count_message(&outbox, db_get_text(&rows, 0), db_get_text(&rows, 1),
                      db_get_int(&rows, 2), db_get_int(&rows, 3), db_get_text(&rows, 4));
    if (db_end(&rows) == ERR_OK)
        say_outbox(doctor, &outbox);
    db_close(db);
}

static void look_neighbours(struct doctor *doctor)
{
    const struct settings *settings = doctor->settings;
    if (settings->influx.url != NULL) {
        size_t len = strlen(settings->influx.url);
        bool has_slash = len > 0 && settings->influx.url[len - 1] == '/';
        char *url = mem_format("%s%sping", settings->influx.url, has_slash ? "" : "/");
        doctor_look_url(doctor, "sinks", "influx", "GET", url, settings->influx.ca_file);
        free(url);
    }
    for (size_t i = 0; i < settings->webhook_count; i++)
        doctor_look_url(doctor, "sinks", settings->webhooks[i].name, "HEAD",
                        settings->webhooks[i].url, settings->webhooks[i].ca_file);
}

void doctor_look_sinks(struct doctor *doctor)
{
    if (doctor->is_answering) {
        sinks_of_api(doctor);
        outbox_of_api(doctor);
    } else if (doctor->settings != NULL) {
        outbox_of_store(doctor);
    }
    if (doctor->settings != NULL)
        look_neighbours(doctor);
}
