// SPDX-License-Identifier: Apache-2.0
/* ETag and 304: who has an answer gets it once, and again only when it changed. */
#include "collector/api/internal.h"

#include "collector/api/routes.h"
#include "tests/unit/collector/api/world.h"

#define ZONES(value, age) \
    "[{\"id\":\"room-1\",\"org\":\"o\",\"site\":\"s\",\"channels\":[{\"value\":" value \
    ",\"age_ms\":" age ",\"time\":\"x\"}]}]"

static void start(struct world *world)
{
    world_open(world);
    world->live[API_LIVE_ZONES] = ZONES("4.6", "812");
    world->live[API_LIVE_STATUS] = "{\"devices\":1}";
    world_run(world);
}

/* `tags` NULL: no If-None-Match. Returns the status; the tag of the answer, "" for none.
 */
static int ask(const struct world *world, const char *method, const char *path,
               const char *tags, char tag[64], size_t *len)
{
    struct answer answer;
    struct buf request = {0};
    buf_format(&request,
               "%s %s HTTP/1.1\r\nHost: x\r\nConnection: close\r\n"
               "Authorization: Bearer %s\r\n%s%s%s\r\n",
               method, path, world->token, tags != NULL ? "If-None-Match: " : "",
               tags != NULL ? tags : "", tags != NULL ? "\r\n" : "");
    world_raw(world, request.data, request.len, &answer);
    const char *at =
        answer.text.data != NULL ? strstr(answer.text.data, "\r\nETag: ") : NULL;
    if (at == NULL || sscanf(at, "\r\nETag: %63[^\r]", tag) != 1)
        tag[0] = '\0';
    *len = strlen(answer.body);
    int status = answer.status;
    answer_fini(&answer);
    buf_fini(&request);
    return status;
}

static void every_list_is_told_once(void)
{
    static const char *const paths[] = {
        "/api/v1/zones",        "/api/v1/devices",       "/api/v1/placements",
        "/api/v1/incidents",    "/api/v1/quarantine",    "/api/v1/outbox",
        "/api/v1/sinks",        "/api/v1/verbs",         "/api/v1/people",
        "/api/v1/tokens",       "/api/v1/grants",        "/api/v1/audit",
        "/api/v1/audit/verify", "/api/v1/entities/zone", "/api/v1/status",
        "/api/v1/me",           "/api/v1/openapi.yaml",  "/api/v1/devices/o/d/readings",
    };
    struct world world;
    start(&world);
    for (size_t i = 0; i < sizeof paths / sizeof paths[0]; i++) {
        char tag[64];
        char again[64];
        size_t len;
        CHECK_ROW(paths[i], ask(&world, "GET", paths[i], NULL, tag, &len) == 200);
        CHECK_ROW(paths[i], tag[0] != '\0' && len > 0);
        CHECK_ROW(paths[i], ask(&world, "GET", paths[i], tag, again, &len) == 304);
        CHECK_ROW(paths[i], strcmp(tag, again) == 0 && len == 0);
        CHECK_ROW(paths[i], ask(&world, "HEAD", paths[i], tag, again, &len) == 304);
        CHECK_ROW(paths[i],
                  ask(&world, "GET", paths[i], "\"other\"", again, &len) == 200);
        CHECK_ROW(paths[i], strcmp(tag, again) == 0 && len > 0);
    }
    world_close(&world);
}

static void tags_come_in_many_forms(void)
{
    struct world world;
    char tag[64];
    char other[64];
    char bare[64];
    char many[256];
    size_t len;
    start(&world);
    CHECK(ask(&world, "GET", "/api/v1/status", NULL, tag, &len) == 200);
    CHECK(tag[0] == '"');
    snprintf(bare, sizeof bare, "%.*s", (int)strlen(tag) - 2, tag + 1);
    const struct {
        const char *name;
        const char *format; /* with the tag */
        int status;
    } rows[] = {
        {"itself", "%s", 304},
        {"weak", "W/%s", 304},
        {"second of a list", "\"a\", %s", 304},
        {"first of a list", "%s,\"a\"", 304},
        {"weak in a list without spaces", "W/\"a\",W/%s,\"b\"", 304},
        {"any", "*", 304},
        {"another", "\"a\"", 200},
        {"without quotes", "%.*s", 200},
        {"more behind it", "%sx", 200},
        {"only commas", ",,,", 200},
        {"a quote that does not end", "\"", 200},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        if (strcmp(rows[i].format, "%.*s") == 0) {
            snprintf(many, sizeof many, "%s", bare);
        } else {
            const char *at = strstr(rows[i].format, "%s");
            int before = at != NULL ? (int)(at - rows[i].format) : 0;
            snprintf(many, sizeof many, "%.*s%s%s", before, rows[i].format,
                     at != NULL ? tag : "", at != NULL ? at + 2 : rows[i].format);
        }
        CHECK_ROW(rows[i].name, ask(&world, "GET", "/api/v1/status", many, other, &len) ==
                                    rows[i].status);
    }
    world_close(&world);
}

static void an_age_alone_changes_nothing(void)
{
    struct world world;
    char tag[64];
    char other[64];
    size_t len;
    start(&world);
    CHECK(ask(&world, "GET", "/api/v1/zones", NULL, tag, &len) == 200);
    CHECK(strncmp(tag, "W/\"", 3) == 0);
    world.live[API_LIVE_ZONES] = ZONES("4.6", "10812");
    CHECK(ask(&world, "GET", "/api/v1/zones", tag, other, &len) == 304);
    world.live[API_LIVE_ZONES] = ZONES("4.7", "10812");
    CHECK(ask(&world, "GET", "/api/v1/zones", tag, other, &len) == 200);
    CHECK(strcmp(tag, other) != 0 && len > 0);
    world_close(&world);
}

static void these_have_no_tag(void)
{
    static const struct {
        const char *method;
        const char *path;
        int status;
    } rows[] = {
        {"GET", "/healthz", 200},
        {"GET", "/metrics", 200},
        {"GET", "/api/v1/no-such", 404},
        {"GET", "/api/v1/entities/zone/no-such", 404},
        {"GET", "/api/v1/incidents?limit=0", 400},
    };
    struct world world;
    start(&world);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char tag[64];
        size_t len;
        CHECK_ROW(rows[i].path, ask(&world, rows[i].method, rows[i].path, "*", tag,
                                    &len) == rows[i].status);
        CHECK_ROW(rows[i].path, tag[0] == '\0' && len > 0);
    }
    world_close(&world);
}

int main(void)
{
    CU_TestInfo tests[] = {
        {"every list is told once", every_list_is_told_once},
        {"tags come in many forms", tags_come_in_many_forms},
        {"an age alone changes nothing", an_age_alone_changes_nothing},
        {"these have no tag", these_have_no_tag},
        CU_TEST_INFO_NULL,
    };
    return check_run("conditional", tests);
}
