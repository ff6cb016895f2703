// SPDX-License-Identifier: Apache-2.0
#include "collector/pipeline/late.h"

#include <stdio.h>
#include <string.h>

#include "tests/support/check.h"

static struct incident incident_of(const char *id, enum incident_state state)
{
    struct incident incident = {.kind = ALERT_ABOVE, .state = state, .revision = 1};
    snprintf(incident.id, sizeof incident.id, "%s", id);
    snprintf(incident.rule, sizeof incident.rule, "warm");
    return incident;
}

static struct late *made(void)
{
    struct late *late = late_create();
    const struct incident one = incident_of("a", INCIDENT_OPEN);
    const struct incident two = incident_of("b", INCIDENT_CLOSED);
    CHECK(late_add_channel(late, "room", "air"));
    CHECK(!late_add_channel(late, "room", "air"));
    late_note(&late->told, ALERT_EFFECT_OPENED, &one);
    late_note(&late->held, ALERT_EFFECT_OPENED, &one);
    late_note(&late->held, ALERT_EFFECT_ESCALATED, &two);
    late->until_ms = 1790000000000;
    return late;
}

static void what_is_saved_comes_back(void)
{
    struct buf first = {0};
    struct buf again = {0};
    struct late *late = made();
    struct late *loaded = late_create();
    late_save(late, &first);
    CHECK(late_load(loaded, first.data, first.len) == ERR_OK);
    late_save(loaded, &again);
    CHECK(again.len == first.len && memcmp(again.data, first.data, first.len) == 0);
    CHECK(loaded->until_ms == late->until_ms);
    CHECK(loaded->held.items[0].is_new && loaded->held.items[1].is_worse);
    late_destroy(loaded);
    late_destroy(late);
    buf_fini(&first);
    buf_fini(&again);
}

/* Version 3 ends before what is said of backlogs. */
static void what_an_older_version_saved_is_read(void)
{
    struct buf saved = {0};
    struct buf until = {0};
    struct late *late = made();
    struct late *loaded = late_create();
    late_save(late, &saved);
    buf_zigzag(&until, late->until_ms);
    saved.data[0] = 3;
    CHECK(late_load(loaded, saved.data, saved.len - until.len) == ERR_OK);
    CHECK(loaded->until_ms == 0 && loaded->channel_count == 1);
    CHECK(loaded->told.count == 1 && loaded->held.count == 2);
    late_destroy(loaded);
    loaded = late_create();
    CHECK(late_load(loaded, saved.data, saved.len) == ERR_CORRUPT);
    late_destroy(loaded);
    late_destroy(late);
    buf_fini(&saved);
    buf_fini(&until);
}

static void what_is_removed_leaves_the_others(void)
{
    struct late *late = made();
    late_remove(&late->held, late_find(&late->held, "a"));
    CHECK(late->held.count == 1 && late_find(&late->held, "a") == NULL);
    CHECK(late_find(&late->held, "b") != NULL);
    late_remove(&late->held, late_find(&late->held, "b"));
    CHECK(late->held.count == 0);
    late_destroy(late);
}

/* Each of the three alone is something. */
static void what_has_something_to_settle_is_not_empty(void)
{
    const struct incident one = incident_of("a", INCIDENT_OPEN);
    struct late *late = late_create();
    CHECK(late_is_empty(NULL) && late_is_empty(late));
    late_note(&late->held, ALERT_EFFECT_OPENED, &one);
    CHECK(!late_is_empty(late));
    late_remove(&late->held, late_find(&late->held, "a"));
    late_note(&late->told, ALERT_EFFECT_OPENED, &one);
    CHECK(!late_is_empty(late));
    late_remove(&late->told, late_find(&late->told, "a"));
    CHECK(late_is_empty(late));
    CHECK(late_add_channel(late, "room", "air") && !late_is_empty(late));
    late_destroy(late);
}

int main(void)
{
    CU_TestInfo tests[] = {
        {"what is saved comes back", what_is_saved_comes_back},
        {"what an older version saved is read", what_an_older_version_saved_is_read},
        {"what is removed leaves the others", what_is_removed_leaves_the_others},
        {"what has something to settle is not empty",
         what_has_something_to_settle_is_not_empty},
        CU_TEST_INFO_NULL,
    };
    return check_run("late", tests);
}
