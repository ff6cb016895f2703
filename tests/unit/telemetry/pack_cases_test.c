// SPDX-License-Identifier: Apache-2.0
#include <inttypes.h>
#include <math.h>

#include "base/number.h"
#include "telemetry/pack.h"
#include "tests/support/cases.h"

#define NOW INT64_C(1753772400000) /* 2025-07-29T07:00:00Z */

static const char *const kind_names[] = {
#define X(name, text) [PACK_##name] = text,
    PACK_KIND_LIST(X)
#undef X
};

static const char *const clock_names[] = {
#define X(name, text) [PACK_CLOCK_##name] = text,
    PACK_CLOCK_LIST(X)
#undef X
};

static void show_head(const struct pack *pack, struct buf *out)
{
    buf_format(out, "%s device=%s epoch=%" PRIx64 " seq=%" PRIu64 " prev=%" PRIx64 "\n",
               kind_names[pack->kind], pack->device, pack->epoch, pack->seq,
               pack->previous_hash);
    buf_format(out, "clock=%s boot=%s up=%" PRId64 " at=%" PRId64 "\n",
               clock_names[pack->clock], pack->boot_id, pack->boot_ms, pack->wall_ms);
    if (pack->kind != PACK_DATA)
        buf_format(out,
                   "ended=%" PRIx64 " from=%" PRIu64 " to=%" PRIu64
                   " reason=%s fixed=%s offset=%" PRId64 "\n",
                   pack->ended, pack->from, pack->to, pack->reason, pack->fixed_boot_id,
                   pack->offset_ms);
}

static void show_reading(const struct pack *pack, const struct reading *reading,
                         struct buf *out)
{
    const struct channel *channel = &pack->channels[reading->channel];
    char text[NUMBER_SIZE];
    buf_format(out, "%+" PRId64 " ms %s(%s%s%s%s)", reading->time_ms - NOW, channel->name,
               channel->quantity, channel->probe[0] != '\0' ? ", " : "", channel->probe,
               channel->registered < 0 ? ", unregistered" : "");
    if (isfinite(reading->value)) {
        number_format(reading->value, text);
        buf_format(out, " %s", text);
    }
    if (reading->quality != QUALITY_GOOD)
        buf_format(out, " %s", quality_name((enum quality)reading->quality));
    if (isfinite(reading->raw)) {
        number_format(reading->raw, text);
        buf_format(out, " raw %s", text);
    }
    buf_text(out, "\n");
}

static bool is_empty(const struct pack *pack)
{
    return pack->device[0] == '\0' && pack->seq == 0 && pack->reading_count == 0 &&
           pack->channel_count == 0;
}

static void run_case(const void *input, size_t len, struct buf *got)
{
    struct pack pack = {0};
    struct err_text why = {""};
    enum err err = pack_parse(&pack, input, len, NOW, &why);
    if (err != ERR_OK) {
        buf_format(got, "%s: %s%s\n", err_name(err), why.text,
                   is_empty(&pack) ? "" : " (and the pack is not empty)");
    } else {
        show_head(&pack, got);
        for (size_t i = 0; i < pack.reading_count; i++)
            show_reading(&pack, &pack.readings[i], got);
    }
    pack_fini(&pack);
}

static void packs_are_read(void)
{
    cases_run("pack", 27, run_case);
}

static void what_is_no_pack_is_refused(void)
{
    cases_run("payload-invalid", 65, run_case);
}

/* What was in the struct before leaves no trace in what is in it afterwards. */
static void one_struct_serves_a_stream(void)
{
    static const char first[] =
        "[{\"cc-dev\":\"d\",\"cc-epoch\":\"0123456789abcdef\",\"cc-seq\":\"7\","
        "\"cc-clock\":\"synced\",\"n\":\"door\",\"v\":1},{\"n\":\"humidity\",\"v\":9}]";
    static const char second[] = "[{\"n\":\"humidity\",\"v\":5}]";
    static const char broken[] = "[{\"n\":\"humidity\",\"v\":5},{\"n\":1}]";
    struct pack pack = {0};
    CHECK(pack_parse(&pack, first, sizeof first - 1, NOW, NULL) == ERR_OK);
    CHECK(pack.channel_count == 2 && pack.seq == 7);
    CHECK(pack_parse(&pack, second, sizeof second - 1, NOW, NULL) == ERR_OK);
    CHECK(pack.channel_count == 1 && pack.seq == 0 && pack.clock == PACK_CLOCK_UNSET);
    CHECK(pack.reading_count == 1 && pack.readings[0].channel == 0);
    CHECK_TEXT(pack.channels[0].name, "humidity");
    CHECK(pack_parse(&pack, broken, sizeof broken - 1, NOW, NULL) == ERR_INVALID);
    CHECK(is_empty(&pack));
    pack_fini(&pack);
}

static void too_much_is_refused(void)
{
    struct pack pack = {0};
    struct buf text = {0};
    struct err_text why = {""};
    buf_text(&text, "[{\"bn\":\"a\",\"v\":1}");
    for (unsigned i = 1; i < PACK_READINGS_MAX; i++)
        buf_text(&text, ",{\"v\":1}");
    size_t at_the_limit = text.len;
    buf_text(&text, "]");
    CHECK(pack_parse(&pack, text.data, text.len, NOW, &why) == ERR_OK);
    CHECK(pack.reading_count == PACK_READINGS_MAX);
    text.len = at_the_limit;
    buf_text(&text, ",{\"v\":1}]");
    CHECK(pack_parse(&pack, text.data, text.len, NOW, &why) == ERR_LIMIT);
    CHECK_TEXT(why.text, "record 20000: more than 20000 readings");

    buf_clear(&text);
    memset(buf_reserve(&text, PACK_BYTES_MAX), ' ', PACK_BYTES_MAX);
    text.len = PACK_BYTES_MAX - 17;
    buf_text(&text, "[{\"n\":\"a\",\"v\":1}]");
    CHECK(text.len == PACK_BYTES_MAX);
    CHECK(pack_parse(&pack, text.data, text.len, NOW, &why) == ERR_OK);
    buf_text(&text, " ");
    CHECK(pack_parse(&pack, text.data, text.len, NOW, &why) == ERR_LIMIT);
    buf_fini(&text);
    pack_fini(&pack);
}

int main(void)
{
    CU_TestInfo tests[] = {
        {"packs are read", packs_are_read},
        {"what is no pack is refused", what_is_no_pack_is_refused},
        {"one struct serves a stream", one_struct_serves_a_stream},
        {"too much is refused", too_much_is_refused},
        CU_TEST_INFO_NULL,
    };
    return check_run("pack_cases", tests);
}
