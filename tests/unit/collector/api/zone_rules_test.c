// SPDX-License-Identifier: Apache-2.0
/* A zone's rules are asked of the loop, by the zone's name, and passed on as they are. */
#include "tests/unit/collector/api/world.h"

static void the_answer_is_the_loops(void)
{
    static const char rules[] = "{\"zone\":\"room-1\",\"rules\":[],\"goods\":[]}";
    struct world world;
    struct answer answer;
    world_open(&world);
    world.live[API_LIVE_RULES] = rules;
    world_run(&world);
    world_get(&world, "/api/v1/zones/room-1/rules", &answer);
    CHECK(answer.status == 200 && answer_has(&answer, rules));
    CHECK_TEXT(world.subject, "room-1");
    answer_fini(&answer);
    world.live[API_LIVE_RULES] = ""; /* there is no such zone */
    world_get(&world, "/api/v1/zones/attic/rules", &answer);
    CHECK(answer.status == 404);
    CHECK_TEXT(world.subject, "attic");
    answer_fini(&answer);
    world_close(&world);
}

int main(void)
{
    CU_TestInfo tests[] = {
        {"the answer is the loop's", the_answer_is_the_loops},
        CU_TEST_INFO_NULL,
    };
    return check_run("zone_rules", tests);
}
