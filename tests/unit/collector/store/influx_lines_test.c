// SPDX-License-Identifier: Apache-2.0
/* What is written to InfluxDB: lines of readings and of incidents. */
#include "collector/notify/message.h"
#include "collector/store/influx.h"
#include "collector/store/state.h"
#include "collector/store/state_incidents.h"
#include "tests/support/check.h"
#include "tests/support/folder.h"

static const char config[] =
    "{\"zones\":[{\"id\":\"room-1\",\"org\":\"fengjie\",\"site\":\"store\",\"site_name\":"
    "\"Cold\",\"name\":\"1\",\"band_low\":null,\"band_high\":null}],"
    "\"devices\":[],\"placements\":[],\"rules\":[]}";

static struct incident sample(void)
{
    return (struct incident){
        .id = "00000000000000000000000000000abc",
        .rule = "warm",
        .zone = "room-1",
        .device = "cr-1",
        .channel = "air_temperature",
        .quantity = "air_temperature",
        .kind = ALERT_ABOVE,
        .severity = ALERT_WARNING,
        .state = INCIDENT_OPEN,
        .onset_ms = 1790722800000,
        .opened_ms = 1790722860000,
        .learned_ms = 1790722860000,
        .changed_ms = 1790722860000,
        .limit = 8,
        .value = 9.5,
        .worst = 9.5,
        .revision = 1,
    };
}

static struct registry *places(void)
{
    struct registry *registry = NULL;
    struct err_text why = {0};
    if (registry_parse(&registry, config, sizeof config - 1, &why) != ERR_OK)
        printf("  %s\n", why.text);
    return registry;
}

static const char *say(struct buf *out, const struct incident *incident,
                       enum alert_effect_kind kind, const struct registry *registry)
{
    buf_clear(out);
    message_format(incident, kind, NULL, registry, incident->changed_ms, out);
    return out->data;
}

/* Series and time: what decides which point a line overwrites. */
static void point_of(const char *line, char *name, size_t size)
{
    const char *fields = strchr(line, ' ');
    const char *time = strrchr(line, ' ');
    snprintf(name, size, "%.*s%s", fields != NULL ? (int)(fields - line) : 0, line,
             time != NULL ? time : "");
}

static void an_incident_is_one_point_however_it_goes_on(void)
{
    struct registry *registry = places();
    struct incident incident = sample();
    struct buf first = {0};
    struct buf later = {0};
    struct buf lines[2] = {{0}};
    char points[2][300];
    say(&first, &incident, ALERT_EFFECT_OPENED, registry);
    CHECK(influx_format_incident(first.data, first.data, registry, &lines[0]));
    incident.severity = ALERT_CRITICAL;
    incident.state = INCIDENT_CLOSED;
    incident.closed_ms = 1790723400000;
    incident.revision = 2;
    say(&later, &incident, ALERT_EFFECT_CLOSED, registry);
    CHECK(influx_format_incident(first.data, later.data, NULL, &lines[1]));
    for (int i = 0; i < 2; i++)
        point_of(lines[i].data, points[i], sizeof points[i]);
    CHECK_TEXT(points[0], points[1]);
    CHECK(strstr(points[0], "incident,org=fengjie,rule=warm,site=store,zone=room-1 "
                            "1790722800000") == points[0]);
    CHECK(strstr(lines[0].data, "severity=\"warning\",state=\"open\"") != NULL);
    CHECK(strstr(lines[0].data, "end_ms=0i") != NULL);
    CHECK(strstr(lines[1].data, "severity=\"critical\",state=\"closed\"") != NULL);
    CHECK(strstr(lines[1].data, "end_ms=1790723400000i") != NULL);
    for (int i = 0; i < 2; i++)
        buf_fini(&lines[i]);
    buf_fini(&first);
    buf_fini(&later);
    registry_destroy(registry);
}

static void incidents_that_began_together_stay_apart(void)
{
    struct incident incident = sample();
    struct buf body = {0};
    struct buf lines = {0};
    char points[2][300];
    for (int i = 0; i < 2; i++) {
        incident.id[0] = (char)('0' + i);
        buf_clear(&lines);
        say(&body, &incident, ALERT_EFFECT_OPENED, NULL);
        CHECK(influx_format_incident(body.data, body.data, NULL, &lines));
        point_of(lines.data, points[i], sizeof points[i]);
    }
    CHECK(strcmp(points[0], points[1]) != 0);
    buf_fini(&lines);
    buf_fini(&body);
}

static void what_is_no_incident_is_no_line(void)
{
    static const char *const bodies[] = {
        "", "[]", "{}", "{\"onset\":7}", "{\"onset\":\"yesterday\"}", "\xff"};
    struct buf lines = {0};
    for (size_t i = 0; i < sizeof bodies / sizeof bodies[0]; i++)
        CHECK_ROW(bodies[i], !influx_format_incident(bodies[i], bodies[i], NULL, &lines));
    CHECK(lines.len == 0);
    buf_fini(&lines);
}

struct told {
    uint64_t places[8];
    size_t count;
    bool is_good;
};

static void on_told(void *context, const struct state_told *row)
{
    struct told *told = context;
    told->is_good = told->is_good && strcmp(row->first_body, "one") == 0;
    told->places[told->count++] = row->place;
}

static void transitions_are_read_once_in_their_order(void)
{
    static const char *const bodies[] = {"one", "two", "three"};
    struct folder folder;
    folder_make(&folder);
    struct state *state = NULL;
    struct err_text why;
    CHECK(state_open(&state, folder_file(&folder, "state.db"), &why) == ERR_OK);
    struct incident incident = sample();
    CHECK(state_begin(state) == ERR_OK);
    for (uint32_t i = 0; i < 3; i++) {
        incident.revision = i + 1;
        CHECK(state_add_incident(state, ALERT_EFFECT_UPDATED, &incident, 1, bodies[i]) ==
              ERR_OK);
    }
    CHECK(state_put_told(state, "influx", 2) == ERR_OK);
    CHECK(state_commit(state) == ERR_OK);
    struct told all = {.is_good = true};
    CHECK(state_each_told_after(state, 0, 10, &all, on_told) == ERR_OK);
    CHECK(all.count == 3 && all.is_good && all.places[0] < all.places[1]);
    uint64_t place = 0;
    CHECK(state_get_told(state, "influx", &place) == ERR_OK && place == 2);
    struct told rest = {.is_good = true};
    CHECK(state_each_told_after(state, all.places[1], 10, &rest, on_told) == ERR_OK);
    CHECK(rest.count == 1 && rest.places[0] == all.places[2]);
    CHECK(state_get_told(state, "other", &place) == ERR_OK && place == 0);
    state_close(state);
    folder_remove(&folder);
}

static void a_channel_named_as_our_fields_stays_apart(void)
{
    struct reading readings[] = {{.time_ms = 1790722800000, .value = 1.5}};
    struct pack pack = {.seq = 7, .readings = readings, .reading_count = 1};
    struct topic topic = {.org = "fengjie", .device = "x"};
    static const struct {
        const char *channel;
        const char *want;
    } rows[] = {{"seq", "seq_=1.5"}, {"late-2", "late_=1.5"}, {"sequel", "sequel=1.5"}};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct channel channel;
        struct buf lines = {0};
        CHECK(channel_parse(&channel, rows[i].channel) == ERR_OK);
        pack.channels = &channel;
        pack.channel_count = 1;
        CHECK_ROW(rows[i].channel,
                  influx_format_pack(&pack, &topic, NULL, 1790722800000, &lines) == 1);
        CHECK_ROW(rows[i].channel, strstr(lines.data, rows[i].want) != NULL);
        buf_fini(&lines);
    }
}

int main(void)
{
    CU_TestInfo tests[] = {
        {"an incident is one point however it goes on",
         an_incident_is_one_point_however_it_goes_on},
        {"incidents that began together stay apart",
         incidents_that_began_together_stay_apart},
        {"what is no incident is no line", what_is_no_incident_is_no_line},
        {"transitions are read once in their order",
         transitions_are_read_once_in_their_order},
        {"a channel named as our fields stays apart",
         a_channel_named_as_our_fields_stays_apart},
        CU_TEST_INFO_NULL,
    };
    return check_run("influx_lines", tests);
}
