// SPDX-License-Identifier: Apache-2.0
/* The command for incidents: what it is told, once, and again when it fails. */
#include "edge-agent/siren.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "tests/support/check.h"
#include "tests/support/folder.h"
#include "tests/support/until.h"

#define BOUND_MS 20000
#define T0       INT64_C(1790000000000)
#define TELL     "echo \"$2 $COLDCHAIN_ZONE $COLDCHAIN_SEVERITY $COLDCHAIN_OPEN\" >> \"$1\""

struct bench {
    struct folder folder;
    struct loop *loop;
    struct siren *siren;
    struct incidents list;
    char path[PATH_MAX];
    char program[PATH_MAX];
    char mute[PATH_MAX];
    char *command[2];
    int64_t repeat_ms;
    enum alert_severity least;
    size_t kept;
    const char *want;
};

static void on_told(void *context)
{
    struct bench *bench = context;
    bench->kept++;
}

static void start(struct bench *bench)
{
    const struct siren_options options = {.loop = bench->loop,
                                          .list = &bench->list,
                                          .device = "agent-1",
                                          .command = bench->command,
                                          .command_count = 2,
                                          .least = bench->least,
                                          .timeout_ms = 10000,
                                          .repeat_ms = bench->repeat_ms,
                                          .retry_ms = 20,
                                          .mute_file = bench->mute,
                                          .context = bench,
                                          .on_told = on_told};
    bench->siren = siren_create(&options);
}

/* `body` is what the program does; its last argument is $2, behind the file's name. */
static void bench_open(struct bench *bench, const char *body)
{
    bench->loop = loop_create();
    folder_make(&bench->folder);
    snprintf(bench->path, sizeof bench->path, "%s", folder_file(&bench->folder, "rung"));
    snprintf(bench->mute, sizeof bench->mute, "%s", folder_file(&bench->folder, "mute"));
    snprintf(bench->program, sizeof bench->program, "%s",
             folder_file(&bench->folder, "siren"));
    FILE *file = fopen(bench->program, "w");
    CHECK(file != NULL && fprintf(file, "#!/bin/sh\n%s\n", body) > 0);
    CHECK(fchmod(fileno(file), 0700) == 0 && fclose(file) == 0);
    bench->command[0] = bench->program;
    bench->command[1] = bench->path;
    start(bench);
}

static void bench_close(struct bench *bench)
{
    siren_destroy(bench->siren);
    loop_destroy(bench->loop);
    incidents_fini(&bench->list);
    folder_remove(&bench->folder);
}

static void give(struct bench *bench, enum alert_effect_kind kind, const char *id,
                 enum alert_severity severity)
{
    struct incident incident = {.kind = ALERT_ABOVE,
                                .severity = severity,
                                .onset_ms = T0,
                                .opened_ms = T0 + 60000,
                                .limit = 8,
                                .value = 9.25,
                                .worst = 9.5,
                                .rule = "warm",
                                .zone = "room-1",
                                .channel = "air_temperature",
                                .quantity = "air_temperature"};
    snprintf(incident.id, sizeof incident.id, "%s", id);
    incidents_apply(&bench->list, kind, &incident);
    siren_look(bench->siren);
}

static bool says(void *context)
{
    struct bench *bench = context;
    struct buf text = {0};
    bool is_same = file_read(&text, bench->path, 10000, NULL) == ERR_OK &&
                   text.len == strlen(bench->want) &&
                   memcmp(text.data, bench->want, text.len) == 0;
    size_t index;
    buf_fini(&text);
    return is_same &&
           incidents_next(&bench->list, bench->least, &index) == INCIDENTS_NOTHING;
}

static void wait_for(struct bench *bench, const char *want)
{
    bench->want = want;
    CHECK(until_true(bench->loop, says, bench, BOUND_MS));
}

static void touch(const struct bench *bench, const char *what)
{
    FILE *file = fopen(bench->mute, "a");
    CHECK(file != NULL && fprintf(file, "%s\n", what) > 0 && fclose(file) == 0);
}

/* ---- stories ---- */

static void each_incident_is_told_once(void)
{
    struct bench bench = {.want = ""};
    bench_open(&bench, TELL);
    give(&bench, ALERT_EFFECT_OPENED, "a", ALERT_WARNING);
    wait_for(&bench, "opened room-1 warning 1\n");
    siren_destroy(bench.siren); /* what is in the list is all that it knows */
    start(&bench);
    give(&bench, ALERT_EFFECT_UPDATED, "a", ALERT_WARNING);
    give(&bench, ALERT_EFFECT_OPENED, "b", ALERT_WARNING);
    wait_for(&bench, "opened room-1 warning 1\nopened room-1 warning 2\n");
    give(&bench, ALERT_EFFECT_ESCALATED, "a", ALERT_CRITICAL);
    wait_for(&bench, "opened room-1 warning 1\nopened room-1 warning 2\n"
                     "escalated room-1 critical 2\n");
    give(&bench, ALERT_EFFECT_CLOSED, "a", ALERT_CRITICAL);
    give(&bench, ALERT_EFFECT_CLOSED, "b", ALERT_WARNING);
    wait_for(&bench, "opened room-1 warning 1\nopened room-1 warning 2\n"
                     "escalated room-1 critical 2\nclosed room-1 critical 1\n"
                     "closed room-1 warning 0\n");
    uint64_t failed;
    CHECK(siren_runs(bench.siren, &failed) == 4 && failed == 0); /* since it is there */
    CHECK(bench.list.count == 0 && bench.kept == 5);
    bench_close(&bench);
}

static void it_is_told_what_it_is_about(void)
{
    struct bench bench = {.want = ""};
    bench_open(&bench, "env | grep ^COLDCHAIN_ | sort > \"$1\"");
    give(&bench, ALERT_EFFECT_OPENED, "0123", ALERT_CRITICAL);
    wait_for(&bench, "COLDCHAIN_CHANNEL=air_temperature\nCOLDCHAIN_DEVICE=agent-1\n"
                     "COLDCHAIN_EVENT=opened\nCOLDCHAIN_INCIDENT=0123\n"
                     "COLDCHAIN_KIND=above\nCOLDCHAIN_LIMIT=8\nCOLDCHAIN_OPEN=1\n"
                     "COLDCHAIN_RULE=warm\nCOLDCHAIN_SEVERITY=critical\n"
                     "COLDCHAIN_SINCE=2026-09-21T14:13:20.000Z\nCOLDCHAIN_VALUE=9.25\n"
                     "COLDCHAIN_WORST=9.5\nCOLDCHAIN_ZONE=room-1\n");
    bench_close(&bench);
}

/* How long the goods bear it, and nothing of it where nothing is known, or it is over. */
static void it_is_told_how_long_the_goods_bear_it(void)
{
    struct incident incident = {.severity = ALERT_CRITICAL,
                                .onset_ms = T0,
                                .id = "0123",
                                .zone = "room-1",
                                .harm = {.at_ms = T0,
                                         .air_C = 9.5,
                                         .band_low_C = (double)NAN,
                                         .band_high_C = 8,
                                         .has_goods = true,
                                         .goods_C = {4.75, 5, 5.5},
                                         .outlook = HARM_COMES,
                                         .minutes = {80, 110, 160},
                                         .basis = HARM_STATED}};
    struct bench bench = {.want = ""};
    bench_open(&bench, "env | grep -E '^COLDCHAIN_(AIR|BAND|GOODS|HARM|TAU)' |"
                       " LC_ALL=C sort >> \"$1\"; echo $2 >> \"$1\"");
    incidents_apply(&bench.list, ALERT_EFFECT_OPENED, &incident);
    siren_look(bench.siren);
    wait_for(&bench, "COLDCHAIN_AIR=9.5\nCOLDCHAIN_BAND_HIGH=8\nCOLDCHAIN_GOODS=5\n"
                     "COLDCHAIN_GOODS_HIGH=5.5\nCOLDCHAIN_GOODS_LOW=4.75\n"
                     "COLDCHAIN_HARM=comes\nCOLDCHAIN_HARM_MINUTES=110\n"
                     "COLDCHAIN_HARM_MINUTES_HIGH=160\nCOLDCHAIN_HARM_MINUTES_LOW=80\n"
                     "COLDCHAIN_TAU_FROM=stated\nopened\n");
    bench_close(&bench);
    bench = (struct bench){.want = ""};
    bench_open(&bench, "env | grep -E '^COLDCHAIN_(AIR|BAND|GOODS|HARM|TAU)' |"
                       " LC_ALL=C sort >> \"$1\"; echo $2 >> \"$1\"");
    incident.harm.outlook = HARM_STAYS;
    incident.harm.basis = HARM_ASSUMED;
    incidents_apply(&bench.list, ALERT_EFFECT_OPENED, &incident);
    siren_look(bench.siren);
    wait_for(&bench, "COLDCHAIN_AIR=9.5\nCOLDCHAIN_BAND_HIGH=8\nCOLDCHAIN_GOODS=5\n"
                     "COLDCHAIN_GOODS_HIGH=5.5\nCOLDCHAIN_GOODS_LOW=4.75\n"
                     "COLDCHAIN_HARM=stays\nCOLDCHAIN_TAU_FROM=assumed\nopened\n");
    bench_close(&bench);
}

static void what_fails_is_told_again(void)
{
    struct bench bench = {.want = ""};
    uint64_t failed;
    bench_open(&bench, "echo \"$2\" >> \"$1\"; test $(wc -l < \"$1\") -ge 3");
    give(&bench, ALERT_EFFECT_OPENED, "a", ALERT_WARNING);
    wait_for(&bench, "opened\nopened\nopened\n");
    CHECK(siren_runs(bench.siren, &failed) == 3 && failed == 2);
    bench_close(&bench);
}

static void what_is_not_grave_enough_is_not_told(void)
{
    struct bench bench = {.want = "", .least = ALERT_CRITICAL};
    bench_open(&bench, "echo \"$2\" >> \"$1\"");
    give(&bench, ALERT_EFFECT_OPENED, "a", ALERT_WARNING);
    give(&bench, ALERT_EFFECT_OPENED, "b", ALERT_WARNING);
    give(&bench, ALERT_EFFECT_CLOSED, "b", ALERT_WARNING);
    give(&bench, ALERT_EFFECT_ESCALATED, "a", ALERT_CRITICAL);
    wait_for(&bench, "opened\n"); /* to whom it is told, it is new */
    CHECK(bench.list.count == 1);
    bench_close(&bench);
}

static void it_is_muted_by_a_file_until_something_new(void)
{
    struct bench bench = {.want = "", .repeat_ms = 1};
    bench_open(&bench, "test $2 = repeated || " TELL);
    give(&bench, ALERT_EFFECT_OPENED, "a", ALERT_WARNING);
    wait_for(&bench, "opened room-1 warning 1\n");
    touch(&bench, "quiet");
    wait_for(&bench, "opened room-1 warning 1\nmuted   0\n");
    uint64_t failed;
    uint64_t runs = siren_runs(bench.siren, &failed);
    siren_destroy(bench.siren); /* quiet after a restart, too, and nothing is repeated */
    start(&bench);
    give(&bench, ALERT_EFFECT_OPENED, "b", ALERT_WARNING);
    wait_for(&bench, "opened room-1 warning 1\nmuted   0\nopened room-1 warning 1\n");
    CHECK(runs >= 1 && failed == 0);
    bench_close(&bench);
}

/* As by the file, but that it comes back by itself, and is told as if it had opened. */
static void it_is_muted_by_an_acknowledgement_until_that_ends(void)
{
    struct bench bench = {.want = ""};
    bench_open(&bench, TELL);
    give(&bench, ALERT_EFFECT_OPENED, "a", ALERT_WARNING);
    wait_for(&bench, "opened room-1 warning 1\n");
    siren_destroy(bench.siren);
    CHECK(incidents_quiet(&bench.list, &bench.list.entries[0], T0));
    CHECK(!incidents_quiet(&bench.list, &bench.list.entries[0], T0));
    start(&bench); /* it had no time to tell of it */
    wait_for(&bench, "opened room-1 warning 1\nmuted   0\n");
    CHECK(incidents_quiet(&bench.list, &bench.list.entries[0], 0));
    siren_look(bench.siren);
    wait_for(&bench, "opened room-1 warning 1\nmuted   0\nopened room-1 warning 1\n");
    bench_close(&bench);
}

static bool has_repeated(void *context)
{
    struct bench *bench = context;
    struct buf text = {0};
    bool has = file_read(&text, bench->path, 100000, NULL) == ERR_OK;
    buf_u8(&text, 0);
    has = has && strstr(text.data, "repeated room-1 critical 2") != NULL;
    buf_fini(&text);
    return has;
}

static void the_gravest_is_repeated(void)
{
    struct bench bench = {.want = "", .repeat_ms = 1};
    bench_open(&bench, TELL);
    give(&bench, ALERT_EFFECT_OPENED, "a", ALERT_WARNING);
    give(&bench, ALERT_EFFECT_OPENED, "b", ALERT_CRITICAL);
    CHECK(until_true(bench.loop, has_repeated, &bench, BOUND_MS));
    bench_close(&bench);
}

int main(void)
{
    CU_TestInfo tests[] = {
        {"each incident is told once", each_incident_is_told_once},
        {"it is told what it is about", it_is_told_what_it_is_about},
        {"it is told how long the goods bear it", it_is_told_how_long_the_goods_bear_it},
        {"what fails is told again", what_fails_is_told_again},
        {"what is not grave enough is not told", what_is_not_grave_enough_is_not_told},
        {"it is muted by a file until something new",
         it_is_muted_by_a_file_until_something_new},
        {"it is muted by an acknowledgement until that ends",
         it_is_muted_by_an_acknowledgement_until_that_ends},
        {"the gravest is repeated", the_gravest_is_repeated},
        CU_TEST_INFO_NULL,
    };
    return check_run("siren", tests);
}
