// SPDX-License-Identifier: Apache-2.0
/* Every reason why a rule does not judge is a sentence, in both languages. */
#include "collector/standing_text.h"

#include <string.h>

#include "tests/support/check.h"

#define MIN_MS ((int64_t)60000)

static void sentences_say_why_and_how_long(void)
{
    static const struct {
        struct standing standing;
        const char *en;
        const char *zh;
    } rows[] = {
        {{.state = STANDING_UNAVAILABLE, .why = STANDING_SPARSE, .apart_ms = 5 * MIN_MS},
         "its readings, 5 min apart, are too sparse for it",
         "读数间隔 5 分钟，太稀疏，无法判断"},
        {{.state = STANDING_UNAVAILABLE,
          .why = STANDING_SPARSE,
          .apart_ms = 160 * 1000,
          .left_ms = 60 * MIN_MS},
         "its readings, 2.7 min apart, are too sparse for it",
         "读数间隔 2.7 分钟，太稀疏，无法判断"},
        {{.state = STANDING_UNAVAILABLE,
          .why = STANDING_LEARNING,
          .apart_ms = MIN_MS,
          .left_ms = 186 * MIN_MS},
         "the air's usual cycles are not known yet: at least 3 h 6 min more of "
         "undisturbed air are needed",
         "尚未掌握空气温度的平常循环：至少还需 3 小时 6 分钟 未受扰动的读数"},
        {{.state = STANDING_UNAVAILABLE, .why = STANDING_FILLING, .left_ms = 60 * MIN_MS},
         "its window holds too few readings yet: at least 1 h more",
         "时间窗内读数还太少：至少还需 1 小时"},
        {{.state = STANDING_HELD_BACK,
          .why = STANDING_LEARNING,
          .reason = ALERT_REASON_OFF_DUTY},
         "the zone is off duty",
         "库区停用"},
        {{.state = STANDING_JUDGING, .unseen = STANDING_SPARSE, .apart_ms = 5 * MIN_MS},
         "it judges, but what its unless names would not be seen: its readings, 5 min "
         "apart, are too sparse for it",
         "正在判断，但看不到其 unless 所列的情形：读数间隔 5 分钟，太稀疏，无法判断"},
        {{.state = STANDING_JUDGING, .unseen = STANDING_LEARNING},
         "it judges, but what its unless names would not be seen: the air's usual "
         "cycles are not known yet",
         "正在判断，但看不到其 unless 所列的情形：尚未掌握空气温度的平常循环"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct standing_text text;
        CHECK_ROW(rows[i].en, standing_text(&text, &rows[i].standing));
        CHECK_TEXT(text.en, rows[i].en);
        CHECK_TEXT(text.zh, rows[i].zh);
    }
}

static void every_word_has_a_sentence(void)
{
    struct standing_text text;
    for (unsigned i = STANDING_NONE + 1; i < STANDING_WHY_COUNT; i++) {
        const struct standing standing = {.state = STANDING_UNAVAILABLE,
                                          .why = (enum standing_why)i};
        const char *name = standing_why_name((enum standing_why)i);
        CHECK_ROW(name, standing_text(&text, &standing));
        CHECK_ROW(name, strlen(text.en) > 10 && strlen(text.zh) > 10);
        CHECK_ROW(name, strstr(text.en, "${") == NULL && strstr(text.zh, "${") == NULL);
    }
    for (unsigned i = 0; i < ALERT_REASON_COUNT; i++) {
        const struct standing standing = {.state = STANDING_HELD_BACK,
                                          .reason = (enum alert_reason)i};
        CHECK(standing_text(&text, &standing) && strlen(text.zh) > 10);
    }
    CHECK(!standing_text(&text, &(struct standing){.state = STANDING_JUDGING}));
    CHECK(!standing_text(&text, &(struct standing){.state = STANDING_FIRING}));
}

int main(void)
{
    CU_TestInfo tests[] = {
        {"sentences say why and how long", sentences_say_why_and_how_long},
        {"every word has a sentence", every_word_has_a_sentence},
        CU_TEST_INFO_NULL,
    };
    return check_run("standing_text", tests);
}
