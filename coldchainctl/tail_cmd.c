// SPDX-License-Identifier: Apache-2.0
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/backoff.h"
#include "base/clock.h"
#include "base/crypto.h"
#include "base/mem.h"
#include "coldchainctl/client.h"
#include "coldchainctl/commands.h"
#include "coldchainctl/incident_measure.h"
#include "coldchainctl/say.h"
#include "coldchainctl/show.h"
#include "coldchainctl/tail.h"

#define TIMEOUT_MS       5000
#define AGAIN_LEAST_MS   500
#define AGAIN_MOST_MS    15000
#define PLACEMENTS_MS    30000       /* so old may they be */
#define INCIDENTS_PAST_S (7 * 86400) /* an incident of late data may be so old */

struct tail_args {
    struct client_args client;
    const char *zone;
    const char *device;
    const char *channel;
    const char *kind;
    double every_s;
    double count;
    bool wants_json;
};

#define FIELD(option, kind_of, field, what, name_of, about) \
    .name = option, .type = kind_of, .offset = offsetof(struct tail_args, field), \
    .value = what, .arg = name_of, .help = about

static const struct option options[] = {
    CLIENT_OPTIONS(struct tail_args, client),
    {FIELD("zone", OPTION_TEXT, zone, "a zone", "ZONE", "of this zone only")},
    {FIELD("device", OPTION_TEXT, device, "a device", "DEVICE",
           "of this device only: ORG/DEVICE or DEVICE")},
    {FIELD("channel", OPTION_TEXT, channel, "a channel", "CHANNEL",
           "readings of this channel only")},
    {FIELD("kind", OPTION_TEXT, kind, "readings or incidents", "KIND",
           "readings or incidents only"),
     .words = "readings incidents"},
    {FIELD("every", OPTION_NUMBER, every_s, "seconds", "S", "between two looks (2)"),
     .least = 0.2, .most = 3600},
    {FIELD("count", OPTION_NUMBER, count, "a number of lines", "N",
           "ends after so many lines"),
     .least = 1, .most = 1e15},
    {FIELD("json", OPTION_FLAG, wants_json, NULL, NULL, "an object a line")},
    {.name = NULL},
};

struct follow {
    const struct tail_args *args;
    struct client *client;
    struct tail tail;
    json_t *placements;
    int64_t placements_ms; /* real time of when they were asked for */
    int64_t started_ms;    /* by the collector's clock */
    bool has_begun;        /* what is there already was seen */
    uint64_t shown;
};

static bool wants(const struct follow *follow, const char *kind)
{
    return follow->args->kind == NULL || strcmp(follow->args->kind, kind) == 0;
}

static bool is_enough(const struct follow *follow)
{
    return follow->args->count > 0 && (double)follow->shown >= follow->args->count;
}

/* ---- what is shown -------------------------------------------------------------------
 */

static void show_object(struct follow *follow, json_t *object)
{
    show_json(object);
    follow->shown++;
}

static void show_reading(struct follow *follow, const struct tail_device *device,
                         const json_t *reading)
{
    char time[SHOW_SIZE];
    char value[SHOW_SIZE];
    const char *zone = tail_zone_of(follow->placements, reading, device->org, device->id);
    if (follow->args->zone != NULL && strcmp(zone, follow->args->zone) != 0)
        return;
    if (follow->args->channel != NULL &&
        strcmp(show_text(reading, "channel"), follow->args->channel) != 0)
        return;
    if (follow->args->wants_json) {
        json_t *object = json_pack("{s:s, s:s, s:s}", "type", "reading", "org",
                                   device->org, "zone", zone);
        json_object_update(object, (json_t *)(uintptr_t)reading);
        show_object(follow, object);
        return;
    }
    printf("%s  %s  %s/%s  %s  %s  %s\n", show_time(time, reading, "time"), zone,
           device->org, device->id, show_text(reading, "channel"),
           show_number(value, reading, "value"),
           say_of("quality", show_text(reading, "quality")));
    follow->shown++;
}

static void show_step(struct follow *follow, const json_t *incident, const json_t *step)
{
    char time[SHOW_SIZE];
    char value[SHOW_SIZE];
    if (follow->args->wants_json) {
        json_t *object = json_pack(
            "{s:s, s:O?, s:O?, s:O?, s:O?, s:O?, s:O?, s:O?}", "type", "incident",
            "incident", json_object_get(incident, "id"), "zone",
            json_object_get(incident, "zone"), "device",
            json_object_get(incident, "device"), "rule",
            json_object_get(incident, "rule"), "kind", json_object_get(incident, "kind"),
            "severity", json_object_get(incident, "severity"), "value",
            json_object_get(incident, "value"));
        json_object_set(object, "event", json_object_get(step, "event"));
        json_object_set(object, "revision", json_object_get(step, "revision"));
        json_object_set(object, "time", json_object_get(step, "at"));
        show_object(follow, object);
        return;
    }
    printf(say("%s  %s  INCIDENT %s  %s  %s  %s  %.8s\n"), show_time(time, step, "at"),
           show_text(incident, "zone"), say_word(show_text(step, "event")),
           say_word(show_text(incident, "severity")),
           say_word(show_text(incident, "kind")),
           incident_measure(value, incident, "value"), show_text(incident, "id"));
    follow->shown++;
}

/* ---- readings ------------------------------------------------------------------------
 */

static bool is_chosen(const struct follow *follow, const struct tail_device *device)
{
    const char *wanted = follow->args->device;
    if (wanted == NULL)
        return true;
    const char *slash = strchr(wanted, '/');
    if (slash == NULL)
        return strcmp(wanted, device->id) == 0;
    return strlen(device->org) == (size_t)(slash - wanted) &&
           strncmp(wanted, device->org, (size_t)(slash - wanted)) == 0 &&
           strcmp(slash + 1, device->id) == 0;
}

static void take_page(struct follow *follow, struct tail_device *device,
                      const json_t *page)
{
    size_t i;
    json_t *reading;
    json_array_foreach(json_object_get(page, "readings"), i, reading)
    {
        if (is_enough(follow))
            return;
        if (tail_take_reading(device, reading))
            show_reading(follow, device, reading);
    }
}

/* Page by page: what comes in between is found by the next read. */
static enum err read_device(struct follow *follow, struct tail_device *device,
                            struct err_text *why)
{
    char from[SHOW_SIZE];
    char skip[SHOW_SIZE] = "0";
    enum err err = ERR_OK;
    snprintf(from, sizeof from, "%" PRId64, tail_read_from(device));
    for (bool has_more = true; has_more && err == ERR_OK && !is_enough(follow);) {
        struct buf path = {0};
        json_t *page = NULL;
        buf_text(&path, "/api/v1/devices/");
        client_escape(&path, device->org);
        buf_text(&path, "/");
        client_escape(&path, device->id);
        buf_text(&path, "/readings?limit=10000");
        client_param(&path, "from", from);
        client_param(&path, "skip", skip);
        err = client_get(follow->client, path.data, &page, why);
        buf_fini(&path);
        take_page(follow, device, page);
        const json_t *next = json_object_get(page, "next");
        has_more = json_is_object(next);
        show_number(from, next, "from");
        show_number(skip, next, "skip");
        json_decref(page);
    }
    if (err == ERR_OK)
        tail_end_read(device);
    return err;
}

static enum err ask_placements(struct follow *follow, struct err_text *why)
{
    int64_t now_ms = clock_real_ms();
    json_t *placements = NULL;
    if (follow->placements != NULL && now_ms - follow->placements_ms < PLACEMENTS_MS)
        return ERR_OK;
    enum err err = client_get(follow->client, "/api/v1/placements", &placements, why);
    if (err != ERR_OK)
        return err;
    json_decref(follow->placements);
    follow->placements = placements;
    follow->placements_ms = now_ms;
    return ERR_OK;
}

static enum err follow_readings(struct follow *follow, struct err_text *why)
{
    json_t *devices = NULL;
    enum err err = ask_placements(follow, why);
    if (err == ERR_OK)
        err = client_get(follow->client, "/api/v1/devices", &devices, why);
    if (err == ERR_OK)
        tail_take_devices(&follow->tail, devices);
    json_decref(devices);
    for (size_t i = 0; err == ERR_OK && i < follow->tail.device_count; i++) {
        struct tail_device *device = &follow->tail.devices[i];
        if (device->is_due && is_chosen(follow, device))
            err = read_device(follow, device, why);
    }
    return err;
}

/* ---- incidents -----------------------------------------------------------------------
 */

static bool is_wanted(const struct follow *follow, const json_t *incident)
{
    const char *zone = follow->args->zone;
    const char *device = follow->args->device;
    const char *slash = device != NULL ? strchr(device, '/') : NULL;
    if (zone != NULL && strcmp(show_text(incident, "zone"), zone) != 0)
        return false;
    return device == NULL ||
           strcmp(show_text(incident, "device"), slash != NULL ? slash + 1 : device) == 0;
}

static enum err show_steps(struct follow *follow, const json_t *listed, int64_t since,
                           struct err_text *why)
{
    struct buf path = {0};
    json_t *incident = NULL;
    size_t i;
    json_t *step;
    int64_t until = json_integer_value(json_object_get(listed, "revision"));
    buf_text(&path, "/api/v1/incidents/");
    client_escape(&path, show_text(listed, "id"));
    enum err err = client_get(follow->client, path.data, &incident, why);
    buf_fini(&path);
    json_array_foreach(json_object_get(incident, "transitions"), i, step)
    {
        int64_t revision = json_integer_value(json_object_get(step, "revision"));
        /* What came since it was listed is shown the next time. */
        if (revision > since && revision <= until && !is_enough(follow))
            show_step(follow, incident, step);
    }
    json_decref(incident);
    return err;
}

static enum err take_incidents(struct follow *follow, const json_t *list,
                               struct err_text *why)
{
    enum err err = ERR_OK;
    /* The oldest first, as they came. */
    for (size_t i = json_array_size(list); err == ERR_OK && i > 0; i--) {
        const json_t *incident = json_array_get(list, i - 1);
        int64_t since;
        if (!is_wanted(follow, incident))
            continue;
        if (!tail_take_incident(&follow->tail, incident, !follow->has_begun, &since))
            continue;
        err = show_steps(follow, incident, since, why);
        if (err != ERR_OK) /* it is to be shown yet */
            tail_undo_incident(&follow->tail, show_text(incident, "id"), since);
    }
    return err;
}

static enum err follow_incidents(struct follow *follow, struct err_text *why)
{
    char from[CLOCK_ISO_MAX];
    char *cursor = NULL;
    json_t *list = json_array();
    enum err err = ERR_OK;
    clock_format_iso(from, follow->started_ms - INT64_C(1000) * INCIDENTS_PAST_S);
    do {
        struct buf path = {0};
        json_t *page = NULL;
        buf_text(&path, "/api/v1/incidents?limit=1000");
        client_param(&path, "from", from);
        client_param(&path, "cursor", cursor);
        err = client_get(follow->client, path.data, &page, why);
        buf_fini(&path);
        free(cursor);
        cursor = NULL;
        json_array_extend(list, json_object_get(page, "incidents"));
        const char *next = json_string_value(json_object_get(page, "next"));
        if (next != NULL)
            cursor = mem_strdup(next);
        json_decref(page);
    } while (err == ERR_OK && cursor != NULL);
    free(cursor);
    if (err == ERR_OK)
        err = take_incidents(follow, list, why);
    json_decref(list);
    return err;
}

/* ---- going on ------------------------------------------------------------------------
 */

static enum err begin(struct follow *follow, struct err_text *why)
{
    json_t *status = NULL;
    enum err err = client_get(follow->client, "/api/v1/status", &status, why);
    json_decref(status);
    if (err != ERR_OK)
        return err;
    struct clock clock;
    clock_init(&clock);
    int64_t date_ms = client_date_ms(follow->client);
    follow->started_ms = date_ms >= 0 ? date_ms : clock_wall_ms(&clock);
    return ERR_OK;
}

static enum err look(struct follow *follow, struct err_text *why)
{
    enum err err = ERR_OK;
    if (wants(follow, "readings"))
        err = follow_readings(follow, why);
    if (err == ERR_OK && wants(follow, "incidents"))
        err = follow_incidents(follow, why);
    if (err == ERR_OK)
        follow->has_begun = true;
    fflush(stdout);
    return err;
}

static void wait_ms(int64_t ms)
{
    struct timespec time = {.tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000};
    nanosleep(&time, NULL);
}

/* What another attempt cannot mend. */
static bool is_final(enum err err)
{
    return err == ERR_DENIED || err == ERR_INVALID || err == ERR_NOT_FOUND ||
           err == ERR_LIMIT;
}

static enum err go_on(struct follow *follow, struct err_text *why)
{
    struct backoff backoff;
    uint64_t seed;
    int64_t lost_ms = -1;
    crypto_random(&seed, sizeof seed);
    backoff_init(&backoff, AGAIN_LEAST_MS, AGAIN_MOST_MS, seed);
    while (!is_enough(follow)) {
        enum err err = look(follow, why);
        if (err != ERR_OK && (is_final(err) || !follow->has_begun))
            return err;
        if (err == ERR_OK && lost_ms >= 0) {
            fprintf(stderr,
                    say("it answers again after %" PRId64
                        " s; what came meanwhile is shown\n"),
                    (clock_real_ms() - lost_ms + 500) / 1000);
            lost_ms = -1;
            backoff_reset(&backoff);
        } else if (err != ERR_OK && lost_ms < 0) {
            fprintf(stderr, say("lost: %s; trying again\n"), why->text);
            lost_ms = clock_real_ms();
        }
        if (!is_enough(follow))
            wait_ms(err == ERR_OK ? (int64_t)(follow->args->every_s * 1000)
                                  : backoff_next(&backoff));
    }
    return ERR_OK;
}

static int tail_run(int argc, char **argv)
{
    struct tail_args args = {.every_s = 2};
    struct follow follow = {.args = &args};
    struct err_text why = {""};
    if (options_take(options, &args, &argc, argv, &why) != ERR_OK)
        return command_usage("tail", "%s", why.text);
    if (argc > 1)
        return command_usage("tail", "nothing is expected behind the options");
    if (args.kind != NULL && strcmp(args.kind, "readings") != 0 &&
        strcmp(args.kind, "incidents") != 0)
        return command_usage("tail", "--kind takes readings or incidents");
    enum err err = client_open(&follow.client, &args.client, &why);
    if (err == ERR_OK) {
        client_set_timeout(follow.client, TIMEOUT_MS);
        err = begin(&follow, &why);
    }
    if (err == ERR_OK)
        err = go_on(&follow, &why);
    json_decref(follow.placements);
    tail_fini(&follow.tail);
    client_close(follow.client);
    return err == ERR_OK ? COMMAND_OK : command_fail("tail", err, &why);
}

const struct command tail_command = {
    .name = "tail",
    .summary = "readings and incidents as they come",
    .usage = "[--zone ZONE] [--device DEVICE] [--channel CHANNEL] [--kind KIND] "
             "[--count N] [--json] [options]\n",
    .about =
        "A line for each reading that arrives from now on and for each step of an "
        "incident. Late readings are shown when they arrive, too; nothing is shown twice, "
        "and nothing is missed while the collector is away: tail tries again, waiting "
        "longer each time up to 15 s, says so on stderr, and goes on where it was. "
        "Incidents that belong to a time more than a week before the start are left out. "
        "Ends by Ctrl-C, or after --count lines.\n",
    .options = options,
    .examples = "coldchainctl tail\n"
                "coldchainctl tail --zone room-1 --kind incidents\n"
                "coldchainctl tail --json | jq -c 'select(.quality != \"good\")'\n",
    .statuses = "0 --count lines were shown\n"
                "1 the API could not be asked at the start, or refuses\n"
                "2 wrong usage\n",
    .run = tail_run,
};
