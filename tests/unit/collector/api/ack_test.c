// SPDX-License-Identifier: Apache-2.0
/* The page behind a message's link: what matters and the button before all the rest. */
#include "tests/unit/collector/api/world.h"

#include "collector/notify/ack_link.h"

#define PAGE "/v1/ack?t="

static const struct ack_links links = {.base = "", .valid_ms = 3600000};

static const char warm_zh[] =
    "【严重】奉节 <1号库>：空气温度 10.0 °C，高于限值 8.0 °C，始于 2026-11-23 16:00 UTC+8。"
    "先查：库门、压缩机、蒸发器风机";
static const char warm_en[] =
    "[critical] 奉节 <1号库>: air temperature 10.0 °C, limit 8.0 °C (above), since "
    "2026-11-23 16:00 UTC+8. Check first: door, compressor, evaporator fan";

static void tell(struct world *world, struct incident *incident, const char *zh,
                 const char *en)
{
    *incident = (struct incident){.kind = ALERT_ABOVE,
                                  .severity = ALERT_CRITICAL,
                                  .state = INCIDENT_OPEN,
                                  .onset_ms = WORLD_T0,
                                  .opened_ms = WORLD_T0,
                                  .learned_ms = WORLD_T0,
                                  .changed_ms = WORLD_T0,
                                  .revision = 1};
    snprintf(incident->id, sizeof incident->id, "%032x", 171);
    snprintf(incident->rule, sizeof incident->rule, "warm");
    snprintf(incident->zone, sizeof incident->zone, "room-1");
    snprintf(incident->snapshot, sizeof incident->snapshot, "{}");
    json_t *body = json_pack("{s:s, s:s}", "text_zh", zh, "text_en", en);
    char *text = json_dumps(body, JSON_COMPACT);
    world_must(state_begin(world->state), "begin");
    world_must(
        state_add_incident(world->state, ALERT_EFFECT_OPENED, incident, WORLD_T0, text),
        "incident");
    world_must(state_commit(world->state), "commit");
    free(text);
    json_decref(body);
}

/* The page's path, as a message has it. */
static char *path_to(const struct incident *incident)
{
    struct buf out = {0};
    ack_link(&links, incident->id, "li", WORLD_T0, &out);
    CHECK(strncmp(out.data, PAGE, strlen(PAGE)) == 0);
    return buf_take(&out);
}

/* Whether they come in that order, each behind the one before. */
static bool is_in_order(const char *page, const char *const *parts)
{
    for (; *parts != NULL; parts++) {
        page = strstr(page, *parts);
        if (page == NULL) {
            printf("\n  not there, or before: %s", *parts);
            return false;
        }
        page += strlen(*parts);
    }
    return true;
}

static void the_button_stands_before_the_details(void)
{
    static const char *const parts[] = {
        "<p class=\"place\">【严重】奉节 &#60;1号库&#62;</p>",
        "<p class=\"head\">空气温度 10.0 °C，高于限值 8.0 °C，始于 2026-11-23 16:00 "
        "UTC+8</p>",
        "<p class=\"head\" lang=\"en\">[critical] air temperature 10.0 °C, limit 8.0 °C "
        "(above), since 2026-11-23 16:00 UTC+8</p>",
        "<form method=\"post\"><button type=\"submit\">我来处理",
        "</form>",
        "先查：库门",
        ". Check first: door, compressor",
        NULL};
    struct world world;
    struct incident incident;
    struct answer answer;
    world_links = &links;
    world_open(&world);
    tell(&world, &incident, warm_zh, warm_en);
    world_run(&world);
    char *path = path_to(&incident);
    world_ask(&world, "GET", path, NULL, NULL, &answer);
    CHECK(answer.status == 200);
    CHECK(is_in_order(answer.body, parts));
    CHECK(strstr(answer.body, "<1号库>") == NULL);
    answer_fini(&answer);
    free(path);
    world_close(&world);
}

/* Texts of another build: nothing is cut wrongly, and the button is there. */
static void a_text_that_is_another_is_told_all_the_same(void)
{
    static const char *const texts[][2] = {
        {"", ""},
        {"没有标点", "no mark at all"},
        {"】：。", "] : . "},
        {"：", "["},
    };
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        struct world world;
        struct incident incident;
        struct answer answer;
        world_links = &links;
        world_open(&world);
        tell(&world, &incident, texts[i][0], texts[i][1]);
        world_run(&world);
        char *path = path_to(&incident);
        world_ask(&world, "GET", path, NULL, NULL, &answer);
        CHECK(answer.status == 200);
        CHECK_ROW(texts[i][1], strstr(answer.body, "<button") != NULL);
        CHECK_ROW(texts[i][1], strstr(answer.body, texts[i][0]) != NULL);
        answer_fini(&answer);
        free(path);
        world_close(&world);
    }
}

int main(void)
{
    static CU_TestInfo tests[] = {
        {"the button stands before the details", the_button_stands_before_the_details},
        {"a text that is another is told all the same",
         a_text_that_is_another_is_told_all_the_same},
        CU_TEST_INFO_NULL,
    };
    return check_run("ack", tests);
}
