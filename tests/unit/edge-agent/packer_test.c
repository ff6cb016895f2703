// SPDX-License-Identifier: Apache-2.0
#include "edge-agent/packer.h"

#include <math.h>

#include "base/crypto.h"
#include "base/deflate.h"
#include "edge-agent/thinner.h"
#include "tests/support/check.h"

#define NOW_MS ((int64_t)1793548800000)

static struct packer packer_of(size_t readings_max)
{
    struct packer packer;
    packer_init(&packer, readings_max, 10000);
    CHECK(packer_add_channel(&packer, "air_temperature", true, 3, 8) == 0);
    CHECK(packer_add_channel(&packer, "humidity", false, 0, 0) == 1);
    return packer;
}

static void take(struct packer *packer, size_t channel, double value,
                 enum quality quality, int64_t real_ms)
{
    packer_take(packer, channel,
                (struct reading){.time_ms = NOW_MS + real_ms,
                                 .value = quality == QUALITY_GOOD ? value : (double)NAN,
                                 .raw = (double)NAN,
                                 .quality = (uint8_t)quality},
                real_ms);
}

static struct packer_label label_of(uint64_t seq)
{
    return (struct packer_label){
        .device = "agent-1",
        .epoch = 0xabc,
        .seq = seq,
        .previous_hash = 0x1122334455667788u,
        .clock = PACK_CLOCK_SYNCED,
        .boot_id = "0123456789abcdef",
        .boot_ms = 5000,
        .wall_ms = NOW_MS,
    };
}

/* Reads bytes back as a collector would. */
static void read_back(const struct buf *bytes, struct pack *pack)
{
    struct buf text = {0};
    struct err_text why = {0};
    if ((uint8_t)bytes->data[0] == 0x78)
        CHECK(deflate_unpack(&text, bytes->data, bytes->len, PACK_BYTES_MAX) == ERR_OK);
    else
        buf_add(&text, bytes->data, bytes->len);
    CHECK(pack_parse(pack, text.data, text.len, NOW_MS, &why) == ERR_OK);
    buf_fini(&text);
}

static void due_by_count_age_and_change(void)
{
    static const struct {
        const char *name;
        double value;
        enum quality quality;
        bool want_due;
    } rows[] = {
        {"first in band waits", 5, QUALITY_GOOD, false},
        {"the bound is in order", 8, QUALITY_GOOD, false},
        {"out of band at once", 8.1, QUALITY_GOOD, true},
        {"still out is no news", 9, QUALITY_GOOD, false},
        {"back in band at once", 7.9, QUALITY_GOOD, true},
        {"below at once", 2.9, QUALITY_GOOD, true},
        {"failed after being out is no news", 0, QUALITY_OPEN, false},
        {"recovered at once", 5, QUALITY_GOOD, true},
        {"failed at once", 0, QUALITY_TIMEOUT, true},
    };
    struct packer packer = packer_of(64);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        take(&packer, 0, rows[i].value, rows[i].quality, 1000);
        CHECK_ROW(rows[i].name, packer_is_due(&packer, 1000) == rows[i].want_due);
        packer_reset(&packer);
    }
    packer_fini(&packer);
}

static void due_by_age(void)
{
    struct packer packer = packer_of(64);
    CHECK(!packer_is_due(&packer, 1000000) && packer_due_ms(&packer) == 0);
    take(&packer, 1, 90, QUALITY_GOOD, 1000);
    take(&packer, 1, 91, QUALITY_GOOD, 9000);
    CHECK(packer_due_ms(&packer) == 11000);
    CHECK(!packer_is_due(&packer, 10999));
    CHECK(packer_is_due(&packer, 11000));
    packer_fini(&packer);
}

static void due_by_count(void)
{
    struct packer packer = packer_of(3);
    for (int i = 1; i <= 3; i++) {
        take(&packer, 1, 90, QUALITY_GOOD, 0);
        CHECK(packer_is_due(&packer, 0) == (i == 3));
    }
    CHECK(packer_count(&packer) == 3);
    packer_fini(&packer);
}

static void a_channel_without_band_is_never_out(void)
{
    struct packer packer = packer_of(64);
    take(&packer, 1, 1e9, QUALITY_GOOD, 0);
    CHECK(!packer_is_due(&packer, 0) && !packer.has_breach);
    take(&packer, 1, 0, QUALITY_CHECKSUM, 0);
    CHECK(packer_is_due(&packer, 0) && packer.has_breach);
    packer_fini(&packer);
}

static void bytes_are_made_once(void)
{
    struct packer packer = packer_of(64);
    for (int i = 0; i < 60; i++)
        take(&packer, (size_t)i % 2, 5 + i * 0.1, QUALITY_GOOD, i * 1000);
    take(&packer, 0, 0, QUALITY_OPEN, 61000);
    struct buf first = {0};
    struct buf second = {0};
    struct packer_label label = label_of(7);
    packer_build(&packer, &label, &first);
    packer_build(&packer, &label, &second);
    CHECK(first.len == second.len && memcmp(first.data, second.data, first.len) == 0);
    CHECK((uint8_t)first.data[0] == 0x78);
    struct pack pack = {0};
    read_back(&first, &pack);
    CHECK_TEXT(pack.device, "agent-1");
    CHECK(pack.kind == PACK_DATA && pack.epoch == 0xabc && pack.seq == 7);
    CHECK(pack.previous_hash == 0x1122334455667788u && pack.clock == PACK_CLOCK_SYNCED);
    CHECK(pack.reading_count == 61 && pack.channel_count == 2);
    CHECK(pack.wall_ms == NOW_MS && pack.boot_ms == 5000);
    CHECK_TEXT(pack.boot_id, "0123456789abcdef");
    size_t bad = 0;
    for (size_t i = 0; i < pack.reading_count; i++)
        bad += pack.readings[i].quality == QUALITY_OPEN && isnan(pack.readings[i].value);
    CHECK(bad == 1);
    packer_reset(&packer);
    CHECK(packer_count(&packer) == 0);
    pack_fini(&pack);
    buf_fini(&first);
    buf_fini(&second);
    packer_fini(&packer);
}

static void short_packs_stay_json(void)
{
    struct packer packer = packer_of(64);
    struct pack pack = {.kind = PACK_EPOCH_END, .ended = 5, .to = 9};
    struct packer_label label = label_of(1);
    label.boot_id = "";
    packer_name(&pack, &label);
    struct buf bytes = {0};
    packer_format(&packer, &pack, &bytes);
    struct pack back = {0};
    read_back(&bytes, &back);
    CHECK(back.kind == PACK_EPOCH_END && back.ended == 5 && back.to == 9);
    struct buf text = {0};
    pack_format(&pack, &text);
    CHECK(bytes.len <= text.len);
    pack_fini(&back);
    pack_fini(&pack);
    buf_fini(&text);
    buf_fini(&bytes);
    packer_fini(&packer);
}

static void the_hash_is_blake2b(void)
{
    uint8_t digest[CRYPTO_DIGEST_BYTES];
    crypto_digest(digest, "abc", 3);
    CHECK(packer_hash("abc", 3) == bytes_u64(digest));
    CHECK(packer_hash("abc", 3) != packer_hash("abd", 3));
}

/* ---- thinning ---- */

static struct spool_pack source_of(const struct buf *bytes, uint64_t seq)
{
    return (struct spool_pack){
        .epoch = 0xabc, .seq = seq, .bytes = bytes->data, .len = bytes->len};
}

static void thinning_keeps_every_breach(void)
{
    struct packer packer = packer_of(1000);
    struct thinner *thinner = thinner_create(&packer);
    size_t breaches = 0;
    for (uint64_t seq = 4; seq <= 9; seq++) {
        for (int i = 0; i < 60; i++) {
            bool is_out = seq == 6 && i >= 50;
            breaches += is_out;
            take(&packer, 0, is_out ? 12 : 5, QUALITY_GOOD, i * 1000);
        }
        take(&packer, 1, 0, QUALITY_TIMEOUT, 1);
        breaches++;
        struct buf bytes = {0};
        struct packer_label label = label_of(seq);
        packer_build(&packer, &label, &bytes);
        packer_reset(&packer);
        struct spool_pack source = source_of(&bytes, seq);
        thinner_take(thinner, &source, NOW_MS);
        buf_fini(&bytes);
    }
    struct thinned *thinned = thinner_next(thinner);
    CHECK(thinned != NULL && thinner_next(thinner) == NULL);
    if (thinned == NULL)
        return;
    CHECK(thinned->pack.kind == PACK_THINNED && thinned->stands_for_source);
    CHECK(thinned->pack.from == 4 && thinned->pack.to == 9 && thinned->has_breach);
    size_t kept = 0;
    for (size_t i = 0; i < thinned->pack.reading_count; i++) {
        const struct reading *reading = &thinned->pack.readings[i];
        kept += reading->quality != QUALITY_GOOD || reading->value == 12;
    }
    CHECK(kept == breaches);
    CHECK(thinned->pack.reading_count == breaches + 35);
    CHECK(thinned->dropped == 6 * 61 - breaches - 35);
    thinner_destroy(thinner);
    packer_fini(&packer);
}

static void control_packs_pass_unthinned(void)
{
    struct packer packer = packer_of(64);
    struct thinner *thinner = thinner_create(&packer);
    for (uint64_t seq = 1; seq <= 3; seq++) {
        struct buf bytes = {0};
        struct packer_label label = label_of(seq);
        struct pack pack = {.kind = PACK_LOSS, .from = 10, .to = 20};
        packer_name(&pack, &label);
        take(&packer, 0, 5, QUALITY_GOOD, 1);
        if (seq == 2)
            packer_format(&packer, &pack, &bytes);
        else
            packer_build(&packer, &label, &bytes);
        packer_reset(&packer);
        struct spool_pack source = source_of(&bytes, seq);
        thinner_take(thinner, &source, NOW_MS);
        buf_fini(&bytes);
        pack_fini(&pack);
    }
    struct thinned *thinned = thinner_next(thinner);
    CHECK(thinned != NULL && thinned->stands_for_source && thinned->to == 1);
    thinned = thinner_next(thinner);
    CHECK(thinned != NULL && !thinned->stands_for_source);
    CHECK(thinned != NULL && thinned->pack.kind == PACK_LOSS);
    CHECK(thinned != NULL && thinned->pack.ended == 0xabc && thinned->pack.to == 20);
    thinned = thinner_next(thinner);
    CHECK(thinned != NULL && thinned->from == 3 && thinned->pack.to == 3);
    CHECK(thinner_next(thinner) == NULL);
    thinner_destroy(thinner);
    packer_fini(&packer);
}

static void what_was_thinned_is_thinned_again(void)
{
    struct packer packer = packer_of(1000);
    struct thinner *thinner = thinner_create(&packer);
    struct pack pack = {.kind = PACK_THINNED, .from = 1, .to = 30};
    struct packer_label label = label_of(40);
    packer_name(&pack, &label);
    uint16_t channel;
    CHECK(pack_channel(&pack, "air_temperature", &channel) == ERR_OK);
    for (int i = 0; i < 100; i++)
        CHECK(pack_add(&pack, &(struct reading){.time_ms = NOW_MS + i,
                                                .value = i < 3 ? 20 : 5,
                                                .raw = (double)NAN,
                                                .channel = channel}) == ERR_OK);
    struct buf bytes = {0};
    packer_format(&packer, &pack, &bytes);
    struct spool_pack source = source_of(&bytes, 40);
    thinner_take(thinner, &source, NOW_MS);
    CHECK(fabs(thinner_kept(thinner) - 0.13) < 1e-9);
    struct thinned *thinned = thinner_next(thinner);
    CHECK(thinned != NULL && thinned->pack.from == 40 && thinned->pack.to == 40);
    CHECK(thinned != NULL && thinned->pack.reading_count == 13);
    buf_fini(&bytes);
    pack_fini(&pack);
    thinner_destroy(thinner);
    packer_fini(&packer);
}

static void giving_up_leaves_what_tells_of_packs(void)
{
    struct packer packer = packer_of(1000);
    struct thinner *thinner = thinner_create(&packer);
    CHECK(thinner_kept(thinner) == 0);
    struct buf bytes = {0};
    struct packer_label label = label_of(1);
    take(&packer, 0, 99, QUALITY_GOOD, 1);
    packer_build(&packer, &label, &bytes);
    struct spool_pack source = source_of(&bytes, 1);
    thinner_take(thinner, &source, NOW_MS);
    CHECK(thinner_kept(thinner) == 1);
    buf_clear(&bytes);
    label = label_of(2);
    struct pack end = {.kind = PACK_EPOCH_END, .ended = 9, .to = 3};
    packer_name(&end, &label);
    packer_format(&packer, &end, &bytes);
    source = source_of(&bytes, 2);
    thinner_take(thinner, &source, NOW_MS);
    thinner_give_up(thinner);
    struct thinned *left = thinner_next(thinner);
    CHECK(left != NULL && left->pack.kind == PACK_EPOCH_END);
    CHECK(thinner_next(thinner) == NULL);
    buf_fini(&bytes);
    pack_fini(&end);
    thinner_destroy(thinner);
    packer_fini(&packer);
}

static void what_cannot_be_read_is_left_to_loss(void)
{
    struct packer packer = packer_of(64);
    struct thinner *thinner = thinner_create(&packer);
    struct buf bytes = {0};
    buf_text(&bytes, "not a pack");
    struct spool_pack source = source_of(&bytes, 1);
    thinner_take(thinner, &source, NOW_MS);
    CHECK(thinner_next(thinner) == NULL);
    buf_fini(&bytes);
    thinner_destroy(thinner);
    packer_fini(&packer);
}

int main(void)
{
    crypto_init();
    static CU_TestInfo tests[] = {
        {"a pack is due on a change for better or worse", due_by_count_age_and_change},
        {"a pack is due by age", due_by_age},
        {"a pack is due by count", due_by_count},
        {"a channel without band is never out", a_channel_without_band_is_never_out},
        {"the bytes are made once", bytes_are_made_once},
        {"short packs stay JSON", short_packs_stay_json},
        {"the hash is BLAKE2b", the_hash_is_blake2b},
        {"thinning keeps every breach", thinning_keeps_every_breach},
        {"control packs pass unthinned", control_packs_pass_unthinned},
        {"what was thinned is thinned again", what_was_thinned_is_thinned_again},
        {"giving up leaves what tells of packs", giving_up_leaves_what_tells_of_packs},
        {"what cannot be read is left to LOSS", what_cannot_be_read_is_left_to_loss},
        CU_TEST_INFO_NULL,
    };
    return check_run("packer", tests);
}
