// SPDX-License-Identifier: Apache-2.0
/* What the verdicts need after a restart, as bytes: of this version and of the one
 * before. */
#include "edge-agent/verdicts_kept.h"

#include <math.h>
#include <string.h>

#include "base/crc32c.h"
#include "tests/support/check.h"

#define T0         INT64_C(1790000000000)
#define AT_VERSION 4 /* behind the magic number */
#define CRC_BYTES  4

static void fill(struct verdicts_kept *kept, bool has_harm)
{
    struct incident incident = {.kind = ALERT_ABOVE,
                                .id = "0123",
                                .rule = "warm",
                                .zone = "room-1",
                                .onset_ms = T0,
                                .limit = 8,
                                .value = 9.25,
                                .worst = 9.5};
    if (has_harm)
        incident.harm = (struct harm){.at_ms = T0,
                                      .air_C = 9.25,
                                      .band_low_C = (double)NAN,
                                      .band_high_C = 8,
                                      .has_goods = true,
                                      .goods_C = {5, 5.5, 6},
                                      .outlook = HARM_COMES,
                                      .minutes = {10, (double)NAN, 30.5}};
    *kept = (struct verdicts_kept){.boot_id = "boot", .judged = {1, 2}};
    incidents_apply(&kept->list, ALERT_EFFECT_OPENED, &incident);
    verdicts_kept_put(kept, "room/room-1", "x", 1);
}

static void what_is_kept_comes_back(void)
{
    struct verdicts_kept kept;
    struct verdicts_kept back;
    struct buf bytes = {0};
    char want[HARM_TEXT_SIZE];
    char got[HARM_TEXT_SIZE];
    fill(&kept, true);
    verdicts_kept_save(&kept, &bytes);
    CHECK(verdicts_kept_load(&back, bytes.data, bytes.len));
    CHECK(back.list.count == 1 && back.judged.seq == 2 && back.entities.count == 1);
    harm_format(want, &kept.list.entries[0].harm);
    harm_format(got, &back.list.entries[0].harm);
    CHECK(want[0] != '\0');
    CHECK_TEXT(got, want);
    for (size_t i = 0; i < bytes.len; i++) {
        struct verdicts_kept none;
        bytes.data[i] ^= 1;
        CHECK(!verdicts_kept_load(&none, bytes.data, bytes.len));
        bytes.data[i] ^= 1;
    }
    verdicts_kept_fini(&kept);
    verdicts_kept_fini(&back);
    buf_fini(&bytes);
}

/* Version 2 ended each entry where the word of harm is now: an empty one is a byte. */
static void what_version_2_kept_comes_back(void)
{
    struct verdicts_kept kept;
    struct verdicts_kept back;
    struct buf bytes = {0};
    struct buf old = {0};
    fill(&kept, false);
    kept.list.entries[0].quiet_until_ms = T0 + 5;
    verdicts_kept_save(&kept, &bytes);
    CHECK(bytes.data[bytes.len - CRC_BYTES - 1] == 0 && bytes.data[AT_VERSION] == 3);
    buf_add(&old, bytes.data, bytes.len - CRC_BYTES - 1);
    old.data[AT_VERSION] = 2;
    buf_u32(&old, crc32c(0, old.data, old.len));
    CHECK(verdicts_kept_load(&back, old.data, old.len));
    CHECK(back.list.count == 1 && back.entities.count == 1);
    CHECK_TEXT(back.list.entries[0].id, "0123");
    CHECK(back.list.entries[0].worst == 9.5 && back.list.entries[0].harm.at_ms == 0);
    CHECK(back.list.entries[0].quiet_until_ms == T0 + 5);
    verdicts_kept_fini(&back);
    old.data[AT_VERSION] = 4;
    buf_clear(&bytes);
    buf_add(&bytes, old.data, old.len - CRC_BYTES);
    buf_u32(&bytes, crc32c(0, bytes.data, bytes.len));
    CHECK(!verdicts_kept_load(&back, bytes.data, bytes.len)); /* of a later one */
    verdicts_kept_fini(&kept);
    buf_fini(&bytes);
    buf_fini(&old);
}

int main(void)
{
    CU_TestInfo tests[] = {
        {"what is kept comes back", what_is_kept_comes_back},
        {"what version 2 kept comes back", what_version_2_kept_comes_back},
        CU_TEST_INFO_NULL,
    };
    return check_run("verdicts_kept", tests);
}
