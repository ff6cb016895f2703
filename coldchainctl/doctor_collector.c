// SPDX-License-Identifier: Apache-2.0
/*
 * The collector itself, its devices, and the clocks: what its API says.
 */
#include <assert.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/mem.h"
#include "coldchainctl/doctor.h"
#include "coldchainctl/show.h"

#define NAMES_SHOWN  5
#define OFFSET_FEW   2000  /* ms: a Date header has whole seconds, the way takes time */
#define OFFSET_LARGE 60000 /* ms */

/* The collector holds the lock as long as it runs; looking takes it for a moment. */
static bool is_locked(const char *data_dir)
{
    char *path = mem_format("%s/state.db.lock", data_dir);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    free(path);
    if (fd < 0)
        return false;
    bool is_held = flock(fd, LOCK_SH | LOCK_NB) != 0;
    close(fd);
    return is_held;
}

static void say_silent_api(struct doctor *doctor, enum err err,
                           const struct err_text *why)
{
    static const char area[] = "collector";
    if (err == ERR_DENIED || err == ERR_CORRUPT || err == ERR_INVALID) {
        doctor->is_running = true;
        doctor_say(
            doctor, DOCTOR_PROBLEM, area,
            "give a token of this collector (--token-file), for https also its name "
            "(--api) and its certificate (--ca-file); what only the API knows was "
            "not looked at",
            "%s", why->text);
    } else if (doctor->is_running) {
        doctor_say(doctor, DOCTOR_PROBLEM, area,
                   "see the collector's log (journalctl -u coldchain-collector); compare "
                   "api.listen and api.port with --api",
                   "a collector is at work in %s, but: %s", doctor->settings->data_dir,
                   why->text);
    } else {
        doctor_say(doctor, DOCTOR_PROBLEM, area,
                   "start it (systemctl start coldchain-collector) and see its log; with "
                   "--local only files and neighbours are looked at",
                   "%s", why->text);
    }
}

static void say_ready(struct doctor *doctor)
{
    json_t *ready = NULL;
    struct err_text why = {""};
    enum err err = client_get(doctor->client, "/readyz", &ready, &why);
    json_decref(ready);
    if (err == ERR_OK)
        doctor_say(doctor, DOCTOR_OK, "collector", NULL, "version %s at %s is ready",
                   show_text(doctor->status, "version"), client_url(doctor->client));
    else
        doctor_say(doctor, DOCTOR_PROBLEM, "collector",
                   "see the findings below; after a start, catching up takes a while",
                   "it runs, but is not ready: %s", why.text);
}

void doctor_look_collector(struct doctor *doctor)
{
    struct err_text why = {""};
    doctor->is_running =
        doctor->settings != NULL && is_locked(doctor->settings->data_dir);
    if (doctor->client == NULL || doctor->is_local) {
        assert(doctor->settings != NULL); /* else there is nothing to look at */
        doctor_say(doctor, DOCTOR_OK, "collector", NULL,
                   doctor->is_running ? "one is at work in %s; its API was not asked"
                                      : "none is at work in %s",
                   doctor->settings->data_dir);
        return;
    }
    client_set_timeout(doctor->client, doctor->timeout_ms);
    enum err err = client_get(doctor->client, "/api/v1/status", &doctor->status, &why);
    doctor->is_answering = err == ERR_OK;
    if (err != ERR_OK) {
        say_silent_api(doctor, err, &why);
        return;
    }
    doctor->is_running = true;
    say_ready(doctor);
}

/* ---- clock ---------------------------------------------------------------------------
 */

static void look_offset(struct doctor *doctor)
{
    struct clock clock;
    json_t *ready = NULL;
    struct err_text why;
    clock_init(&clock);
    int64_t before_ms = clock_wall_ms(&clock);
    enum err err = client_get(doctor->client, "/healthz", &ready, &why);
    int64_t after_ms = clock_wall_ms(&clock);
    json_decref(ready);
    int64_t date_ms = client_date_ms(doctor->client);
    if (err != ERR_OK || date_ms < 0)
        return;
    /* The header is cut to the second: the middle of it. */
    int64_t offset_ms = date_ms + 500 - (before_ms + (after_ms - before_ms) / 2);
    int64_t size_ms = offset_ms < 0 ? -offset_ms : offset_ms;
    enum doctor_level level = size_ms <= OFFSET_FEW     ? DOCTOR_OK
                              : size_ms <= OFFSET_LARGE ? DOCTOR_WARNING
                                                        : DOCTOR_PROBLEM;
    doctor_say(doctor, level, "clock",
               level == DOCTOR_OK ? NULL
                                  : "let both machines follow a time service: readings "
                                    "are judged and kept by their time",
               offset_ms < 0 ? "the collector's is %.1f s behind this machine's"
                             : "the collector's is %.1f s ahead of this machine's",
               (double)size_ms / 1000);
}

void doctor_look_clock(struct doctor *doctor)
{
    struct clock clock;
    clock_init(&clock);
    switch (clock_state_of(&clock)) {
    case CLOCK_SYNCED:
        doctor_say(doctor, DOCTOR_OK, "clock", NULL,
                   "this machine's is synchronised with a time service");
        break;
    case CLOCK_STEPPED:
        doctor_say(doctor, DOCTOR_WARNING, "clock",
                   "start a time service (chrony, systemd-timesyncd) and see timedatectl",
                   "this machine's is plausible, but no time service keeps it right");
        break;
    case CLOCK_UNSET:
        doctor_say(doctor, DOCTOR_PROBLEM, "clock",
                   "set it (timedatectl set-time) and start a time service",
                   "this machine's stands before this program was made");
        break;
    }
    if (doctor->is_answering)
        look_offset(doctor);
}

/* ---- devices -------------------------------------------------------------------------
 */

struct silent {
    size_t known;
    size_t count;
    struct buf names; /* of the first few */
};

static void add_device(const struct doctor *doctor, struct silent *silent,
                       const char *org, const char *id, bool is_silent, int64_t age_ms)
{
    char age[32];
    silent->known++;
    if (!is_silent)
        return;
    if (silent->count++ >= NAMES_SHOWN)
        return;
    buf_text(&silent->names, silent->names.len > 0 ? ", " : "");
    if (age_ms < 0)
        buf_format(&silent->names, doctor_text(doctor, "%s/%s (never heard)"), org, id);
    else
        buf_format(&silent->names, doctor_text(doctor, "%s/%s (%s ago)"), org, id,
                   doctor_span(doctor, age, age_ms));
}

static void say_devices(struct doctor *doctor, struct silent *silent)
{
    char limit[32];
    doctor_span(doctor, limit, doctor->silent_ms);
    if (silent->known == 0)
        doctor_say(doctor, DOCTOR_WARNING, "devices",
                   "start an agent, or see that it reaches the broker (its own log)",
                   "none is declared, none was ever heard");
    else if (silent->count == 0)
        doctor_say(doctor, DOCTOR_OK, "devices", NULL,
                   "all %zu were heard in the last %s", silent->known, limit);
    else
        doctor_say(
            doctor, silent->count == silent->known ? DOCTOR_PROBLEM : DOCTOR_WARNING,
            "devices",
            "see whether they have power and network, then the log of "
            "coldchain-agent there",
            "%zu of %zu silent for more than %s: %s%s", silent->count, silent->known,
            limit, silent->names.data, silent->count > NAMES_SHOWN ? ", ..." : "");
    buf_fini(&silent->names);
}

/* Of an agent that judges by itself: what of its zone's settings it cannot follow. */
static bool say_unknown(struct doctor *doctor, const json_t *device, bool is_shown)
{
    struct buf words = {0};
    size_t i;
    json_t *word;
    int64_t left_out = json_integer_value(json_object_get(device, "config_left_out"));
    json_array_foreach(json_object_get(device, "config_unknown"), i, word)
        buf_format(&words, "%s%s", i > 0 ? ", " : "", json_string_value(word));
    if (i > 0 && is_shown)
        doctor_say(doctor, DOCTOR_WARNING, "devices", "upgrade coldchain-agent there",
                   "agent %s/%s is older than its zone's settings: it does not know %s",
                   show_text(device, "org"), show_text(device, "id"), words.data);
    if (left_out > 0 && is_shown)
        doctor_say(doctor, DOCTOR_WARNING, "devices", "upgrade coldchain-agent there",
                   "agent %s/%s does not judge %" PRId64 " of its zone's rules",
                   show_text(device, "org"), show_text(device, "id"), left_out);
    buf_fini(&words);
    return i > 0 || left_out > 0;
}

static void look_for_older(struct doctor *doctor, const json_t *devices)
{
    size_t count = 0;
    size_t i;
    json_t *device;
    json_array_foreach((json_t *)(uintptr_t)devices, i, device) count +=
        say_unknown(doctor, device, count < NAMES_SHOWN);
    if (count > NAMES_SHOWN)
        doctor_say(doctor, DOCTOR_WARNING, "devices", "upgrade coldchain-agent there",
                   "%zu more agents are older than their zones' settings",
                   count - NAMES_SHOWN);
}

static void devices_of_api(struct doctor *doctor)
{
    struct err_text why = {""};
    json_t *devices = NULL;
    struct silent silent = {0};
    size_t i;
    json_t *device;
    if (client_get(doctor->client, "/api/v1/devices", &devices, &why) != ERR_OK) {
        doctor_say(doctor, DOCTOR_WARNING, "devices", "see the collector's log",
                   "they cannot be listed: %s", why.text);
        return;
    }
    json_array_foreach(devices, i, device)
    {
        int64_t at_ms;
        bool is_heard = clock_parse_iso(&at_ms, show_text(device, "last_arrival"));
        int64_t age_ms = is_heard ? doctor->now_ms - at_ms : -1;
        add_device(doctor, &silent, show_text(device, "org"), show_text(device, "id"),
                   !is_heard || age_ms > doctor->silent_ms,
                   is_heard && age_ms < 0 ? 0 : age_ms);
    }
    say_devices(doctor, &silent);
    look_for_older(doctor, devices);
    json_decref(devices);
}

void doctor_look_devices(struct doctor *doctor)
{
    if (doctor->is_answering)
        devices_of_api(doctor);
    else
        doctor_say(doctor, DOCTOR_OK, "devices", NULL,
                   "not looked at: only a collector at work knows whom it hears");
}
