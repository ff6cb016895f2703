// SPDX-License-Identifier: Apache-2.0
/* What is known of a device: order within an epoch, gaps, and what survives a restart. */
#include "collector/pipeline/device.h"

#include <math.h>

#include "base/mem.h"

#include "tests/support/check.h"

#define EPOCH UINT64_C(0xaa)

static struct collector_core core;
static struct device_names names;

static struct device *made(void)
{
    collector_core_init(&core, "store", 1, 1000, 8);
    return device_create("fengjie", "one");
}

static struct collector_epoch *epoch_of(struct device *device)
{
    struct collector_epoch *epoch = collector_epoch_of(&device->delivery, EPOCH);
    CHECK(epoch != NULL);
    return epoch;
}

/* A pack comes: taken, and it waits for its turn. Its position is 1000 + seq. */
static void take(struct device *device, uint64_t seq)
{
    const struct collector_pack pack = {.epoch = EPOCH,
                                        .seq = seq,
                                        .hash = 77 + seq,
                                        .position = 1000 + seq,
                                        .is_live = true,
                                        .is_readable = seq != 4,
                                        .kind = PACK_DATA};
    struct collector_actions actions;
    collector_core_step(
        &core, &device->delivery,
        &(struct collector_event){.kind = COLLECTOR_PACK, .real_ms = 1, .pack = &pack},
        &actions);
}

/* The seqs whose turn it is, in order: "1 2 3". */
static const char *turns(const struct device *device, struct collector_epoch *epoch)
{
    static char text[200];
    struct collector_held next;
    size_t len = 0;
    text[0] = '\0';
    while (collector_core_next(&device->delivery, epoch, &next)) {
        CHECK(next.position == 1000 + next.seq);
        len += (size_t)snprintf(text + len, sizeof text - len, "%s%d", len > 0 ? " " : "",
                                (int)next.seq);
    }
    return text;
}

static void channels_are_found_again_and_bounded(void)
{
    struct device *device = made();
    struct channel name;
    for (int i = 0; i <= DEVICE_CHANNELS_MAX; i++) {
        char text[ID_SIZE];
        snprintf(text, sizeof text, "air_temperature-%d", i);
        CHECK(channel_parse(&name, text) == ERR_OK);
        CHECK((device_channel_of(device, &names, &name) != NULL) ==
              (i < DEVICE_CHANNELS_MAX));
    }
    device_destroy(device, &core);
}

/* A device with everything that is saved. */
static struct device *full_device(void)
{
    struct device *device = made();
    struct channel name;
    snprintf(device->delivery.nonce, sizeof device->delivery.nonce, "nonce");
    device_set_version(device, "0.1.0");
    device->is_online = true;
    device->last_arrival_ms = 123456;
    device->readings = 77;
    device->config_version = 0xab;
    device->config_form = 2;
    device->config_left_out = 3;
    device_set_unknown(device, "zone.fog,kind.telepathy");
    device->fixed_boot = device_boot("00000000000000b1");
    device->fixed_offset_ms = 1000;
    take(device, 1);
    take(device, 4); /* unreadable */
    take(device, 6);
    collector_epoch_of(&device->delivery, EPOCH + 1)->is_ended = true;
    CHECK(channel_parse(&name, "air_temperature-2") == ERR_OK);
    struct device_channel *channel = device_channel_of(device, &names, &name);
    channel->value = (double)NAN;
    channel->quality = QUALITY_OPEN;
    channel->time_ms = -5;
    channel->arrival_ms = 9;
    device->clock_epoch = 9;
    device->clock_ms = 1234;
    return device;
}

static void what_is_saved_is_loaded(void)
{
    struct device *device = full_device();
    struct device *back = made();
    struct buf saved = {0};
    struct buf again = {0};
    device_save(device, &saved);
    CHECK(device_load(back, &names, &core, saved.data, saved.len) == ERR_OK);
    device_save(back, &again);
    CHECK(saved.len == again.len && memcmp(saved.data, again.data, saved.len) == 0);
    CHECK_TEXT(device_version(back), "0.1.0");
    CHECK(back->config_version == 0xab);
    CHECK(back->config_form == 2 && back->config_left_out == 3);
    CHECK_TEXT(back->config_unknown, "zone.fog,kind.telepathy");
    CHECK(back->clock_epoch == 9 && back->clock_ms == 1234);
    CHECK(back->fixed_boot == device->fixed_boot && back->fixed_offset_ms == 1000);
    CHECK(back->is_online && back->readings == 77 && back->last_arrival_ms == 123456);
    CHECK(back->channel_count == 1 && back->channels[0].quality == QUALITY_OPEN);
    CHECK(back->channels[0].time_ms == -5 && isnan(back->channels[0].value));
    CHECK(back->delivery.epoch_count == 2 && back->delivery.epochs[1].is_ended);
    /* The gap closes after the restart. */
    struct collector_epoch *epoch = epoch_of(back);
    take(back, 2);
    take(back, 3);
    CHECK_TEXT(turns(back, epoch), "");
    take(back, 5);
    CHECK_TEXT(turns(back, epoch), "6");
    CHECK(epoch->window.taken.through == 6 && epoch->evaluated == 6);
    buf_fini(&saved);
    buf_fini(&again);
    device_destroy(device, &core);
    device_destroy(back, &core);
}

/* Each came later: the zones' rules in force, clocks that were set late, what a device
 * does not know of its rules, and clocks that went back. */
static void what_an_earlier_version_saved_is_loaded(void)
{
    struct device *device = full_device();
    struct device *back = made();
    struct buf saved = {0};
    device_save(device, &saved);
    size_t astray_len = 8 + 2; /* 1234 */
    size_t unknown_len = 1 + 1 + 1 + strlen("zone.fog,kind.telepathy") + astray_len;
    size_t clock_len = 8 + 2 + unknown_len; /* an offset of 1000 */
    saved.data[0] = 5;
    CHECK(device_load(back, &names, &core, saved.data, saved.len - astray_len) == ERR_OK);
    CHECK(back->config_form == 2 && back->clock_epoch == 0);
    device_destroy(back, &core);
    back = made();
    saved.data[0] = 4;
    CHECK(device_load(back, &names, &core, saved.data, saved.len - unknown_len) ==
          ERR_OK);
    CHECK(back->fixed_offset_ms == 1000 && back->config_form == 0);
    CHECK(back->config_unknown == NULL);
    device_destroy(back, &core);
    back = made();
    saved.data[0] = 3;
    CHECK(device_load(back, &names, &core, saved.data, saved.len - clock_len) == ERR_OK);
    CHECK(back->config_version == 0xab && back->fixed_boot == 0);
    device_destroy(back, &core);
    back = made();
    saved.data[0] = 2;
    CHECK(device_load(back, &names, &core, saved.data, saved.len - clock_len - 8) ==
          ERR_OK);
    CHECK(back->config_version == 0 && back->readings == 77);
    buf_fini(&saved);
    device_destroy(device, &core);
    device_destroy(back, &core);
}

static void what_is_cut_is_refused(void)
{
    struct device *device = full_device();
    struct buf saved = {0};
    device_save(device, &saved);
    for (size_t len = 0; len < saved.len; len++) {
        /* A copy of its own: the sanitizer sees a byte too many. */
        char *cut = mem_dup(saved.data, len);
        struct device *back = made();
        CHECK(device_load(back, &names, &core, cut, len) == ERR_CORRUPT);
        device_destroy(back, &core);
        free(cut);
    }
    saved.data[0]++;
    struct device *other = made();
    CHECK(device_load(other, &names, &core, saved.data, saved.len) == ERR_CORRUPT);
    device_destroy(other, &core);
    buf_fini(&saved);
    device_destroy(device, &core);
}

static void what_is_flipped_is_refused_or_harmless(void)
{
    struct device *device = full_device();
    struct buf saved = {0};
    device_save(device, &saved);
    for (size_t bit = 0; bit < saved.len * 8; bit++) {
        saved.data[bit / 8] = (char)(saved.data[bit / 8] ^ (1 << (bit % 8)));
        struct device *back = made();
        enum err err = device_load(back, &names, &core, saved.data, saved.len);
        CHECK(err == ERR_OK || err == ERR_CORRUPT || err == ERR_LIMIT);
        if (err == ERR_OK)
            for (size_t i = 0; i < back->channel_count; i++)
                CHECK(quality_name((enum quality)back->channels[i].quality) != NULL);
        device_destroy(back, &core);
        saved.data[bit / 8] = (char)(saved.data[bit / 8] ^ (1 << (bit % 8)));
    }
    buf_fini(&saved);
    device_destroy(device, &core);
}

int main(void)
{
    CU_TestInfo tests[] = {
        {"channels are found again and bounded", channels_are_found_again_and_bounded},
        {"what is saved is loaded", what_is_saved_is_loaded},
        {"what an earlier version saved is loaded",
         what_an_earlier_version_saved_is_loaded},
        {"what is cut is refused", what_is_cut_is_refused},
        {"what is flipped is refused or harmless",
         what_is_flipped_is_refused_or_harmless},
        CU_TEST_INFO_NULL,
    };
    int result = check_run("device", tests);
    device_names_fini(&names);
    return result;
}
