// SPDX-License-Identifier: Apache-2.0
/* What is known of a device: order within an epoch, gaps, and what survives a restart. */
#include "collector/pipeline/device.h"

#include <math.h>

#include "base/mem.h"

#include "tests/support/check.h"

#define EPOCH UINT64_C(0xaa)

static struct device_epoch *epoch_of(struct device *device)
{
    struct device_epoch *epoch = device_epoch_of(device, EPOCH);
    CHECK(epoch != NULL);
    return epoch;
}

/* A pack comes: taken, and it waits for its turn. Its position is 1000 + seq. */
static void take(struct device_epoch *epoch, uint64_t seq)
{
    CHECK(seqset_add(&epoch->taken, seq) == ERR_OK);
    device_epoch_wait(epoch, seq, 1000 + seq);
}

/* The seqs whose turn it is, in order: "1 2 3". */
static const char *turns(struct device_epoch *epoch)
{
    static char text[200];
    struct device_ahead next;
    size_t len = 0;
    text[0] = '\0';
    while (device_epoch_next(epoch, &next)) {
        CHECK(next.position == 1000 + next.seq);
        len += (size_t)snprintf(text + len, sizeof text - len, "%s%d", len > 0 ? " " : "",
                                (int)next.seq);
    }
    return text;
}

static void packs_in_order_have_their_turn_at_once(void)
{
    struct device *device = device_create("fengjie", "one");
    struct device_epoch *epoch = epoch_of(device);
    CHECK_TEXT(turns(epoch), "");
    take(epoch, 1);
    CHECK_TEXT(turns(epoch), "1");
    take(epoch, 2);
    take(epoch, 3);
    CHECK_TEXT(turns(epoch), "2 3");
    CHECK(epoch->evaluated == 3);
    device_destroy(device);
}

static void what_is_ahead_of_a_gap_waits_for_it(void)
{
    struct device *device = device_create("fengjie", "one");
    struct device_epoch *epoch = epoch_of(device);
    take(epoch, 5);
    take(epoch, 3);
    take(epoch, 6);
    CHECK_TEXT(turns(epoch), "");
    CHECK(epoch->evaluated == 0 && epoch->ahead_count == 3);
    take(epoch, 1);
    CHECK_TEXT(turns(epoch), "1");
    take(epoch, 2);
    CHECK_TEXT(turns(epoch), "2 3");
    take(epoch, 4);
    CHECK_TEXT(turns(epoch), "4 5 6");
    CHECK(epoch->ahead_count == 0);
    device_destroy(device);
}

static void a_gap_that_is_lost_is_passed_over(void)
{
    struct device *device = device_create("fengjie", "one");
    struct device_epoch *epoch = epoch_of(device);
    take(epoch, 1);
    take(epoch, 9);
    CHECK_TEXT(turns(epoch), "1");
    CHECK(seqset_add_range(&epoch->taken, 2, 8) == ERR_OK); /* LOSS */
    CHECK_TEXT(turns(epoch), "9");
    CHECK(seqset_add_range(&epoch->taken, 10, 12) ==
          ERR_OK); /* at the end: nothing waits */
    CHECK_TEXT(turns(epoch), "");
    CHECK(epoch->evaluated == 12);
    device_destroy(device);
}

static void epochs_and_channels_are_found_again_and_bounded(void)
{
    struct device *device = device_create("fengjie", "one");
    struct channel name;
    CHECK(device_epoch_of(device, 7)->epoch == 7);
    CHECK(device_epoch_of(device, 7) == &device->epochs[0]);
    for (uint64_t i = 0; i < DEVICE_EPOCHS_MAX - 1; i++)
        CHECK(device_epoch_of(device, 100 + i) != NULL);
    CHECK(device_epoch_of(device, 1) == NULL);
    CHECK(device_epoch_of(device, 7) != NULL);
    for (int i = 0; i <= DEVICE_CHANNELS_MAX; i++) {
        char text[ID_SIZE];
        snprintf(text, sizeof text, "air_temperature-%d", i);
        CHECK(channel_parse(&name, text) == ERR_OK);
        CHECK((device_channel_of(device, &name) != NULL) == (i < DEVICE_CHANNELS_MAX));
    }
    device_destroy(device);
}

/* A device with everything that is saved. */
static struct device *full_device(void)
{
    struct device *device = device_create("fengjie", "one");
    struct channel name;
    snprintf(device->nonce, sizeof device->nonce, "nonce");
    snprintf(device->version, sizeof device->version, "0.1.0");
    device->is_online = true;
    device->last_arrival_ms = 123456;
    device->readings = 77;
    struct device_epoch *epoch = epoch_of(device);
    take(epoch, 1);
    take(epoch, 4);
    take(epoch, 6);
    CHECK(seqset_add(&epoch->rejected, 4) == ERR_OK);
    CHECK_TEXT(turns(epoch), "1");
    device_epoch_of(device, EPOCH + 1)->is_ended = true;
    CHECK(channel_parse(&name, "air_temperature-2") == ERR_OK);
    struct device_channel *channel = device_channel_of(device, &name);
    channel->value = (double)NAN;
    channel->quality = QUALITY_OPEN;
    channel->time_ms = -5;
    channel->arrival_ms = 9;
    return device;
}

static void what_is_saved_is_loaded(void)
{
    struct device *device = full_device();
    struct device *back = device_create("fengjie", "one");
    struct buf saved = {0};
    struct buf again = {0};
    device_save(device, &saved);
    CHECK(device_load(back, saved.data, saved.len) == ERR_OK);
    device_save(back, &again);
    CHECK(saved.len == again.len && memcmp(saved.data, again.data, saved.len) == 0);
    CHECK_TEXT(back->version, "0.1.0");
    CHECK(back->is_online && back->readings == 77 && back->last_arrival_ms == 123456);
    CHECK(back->channel_count == 1 && back->channels[0].quality == QUALITY_OPEN);
    CHECK(back->channels[0].time_ms == -5 && isnan(back->channels[0].value));
    CHECK(back->epoch_count == 2 && back->epochs[1].is_ended);
    /* The gap closes after the restart. */
    struct device_epoch *epoch = device_epoch_of(back, EPOCH);
    CHECK(seqset_add_range(&epoch->taken, 2, 3) == ERR_OK);
    take(epoch, 5);
    CHECK_TEXT(turns(epoch), "4 5 6");
    buf_fini(&saved);
    buf_fini(&again);
    device_destroy(device);
    device_destroy(back);
}

static void what_is_cut_is_refused(void)
{
    struct device *device = full_device();
    struct buf saved = {0};
    device_save(device, &saved);
    for (size_t len = 0; len < saved.len; len++) {
        /* A copy of its own: the sanitizer sees a byte too many. */
        char *cut = mem_dup(saved.data, len);
        struct device *back = device_create("fengjie", "one");
        CHECK(device_load(back, cut, len) == ERR_CORRUPT);
        device_destroy(back);
        free(cut);
    }
    saved.data[0]++;
    struct device *other = device_create("fengjie", "one");
    CHECK(device_load(other, saved.data, saved.len) == ERR_CORRUPT);
    device_destroy(other);
    buf_fini(&saved);
    device_destroy(device);
}

static void what_is_flipped_is_refused_or_harmless(void)
{
    struct device *device = full_device();
    struct buf saved = {0};
    device_save(device, &saved);
    for (size_t bit = 0; bit < saved.len * 8; bit++) {
        saved.data[bit / 8] = (char)(saved.data[bit / 8] ^ (1 << (bit % 8)));
        struct device *back = device_create("fengjie", "one");
        enum err err = device_load(back, saved.data, saved.len);
        CHECK(err == ERR_OK || err == ERR_CORRUPT || err == ERR_LIMIT);
        if (err == ERR_OK)
            for (size_t i = 0; i < back->channel_count; i++)
                CHECK(quality_name(back->channels[i].quality) != NULL);
        device_destroy(back);
        saved.data[bit / 8] = (char)(saved.data[bit / 8] ^ (1 << (bit % 8)));
    }
    buf_fini(&saved);
    device_destroy(device);
}

int main(void)
{
    CU_TestInfo tests[] = {
        {"packs in order have their turn at once",
         packs_in_order_have_their_turn_at_once},
        {"what is ahead of a gap waits for it", what_is_ahead_of_a_gap_waits_for_it},
        {"a gap that is lost is passed over", a_gap_that_is_lost_is_passed_over},
        {"epochs and channels are found again and bounded",
         epochs_and_channels_are_found_again_and_bounded},
        {"what is saved is loaded", what_is_saved_is_loaded},
        {"what is cut is refused", what_is_cut_is_refused},
        {"what is flipped is refused or harmless",
         what_is_flipped_is_refused_or_harmless},
        CU_TEST_INFO_NULL,
    };
    return check_run("device", tests);
}
