// SPDX-License-Identifier: Apache-2.0
#include "telemetry/topic.h"

#include "tests/support/check.h"

#define TEN     "0123456789"
#define LONGEST TEN TEN TEN TEN TEN TEN "abcd"

static void topics_read_and_write_back(void)
{
    static const struct {
        const char *text;
        struct topic want;
    } rows[] = {
        {"coldchain/v1/fengjie/room-3/status",
         {.org = "fengjie", .device = "room-3", .kind = TOPIC_STATUS}},
        {"coldchain/v1/fengjie/room-3/hello",
         {.org = "fengjie", .device = "room-3", .kind = TOPIC_HELLO}},
        {"coldchain/v1/o/d/ack", {.org = "o", .device = "d", .kind = TOPIC_ACK}},
        {"coldchain/v1/o/d/command", {.org = "o", .device = "d", .kind = TOPIC_COMMAND}},
        {"coldchain/v1/o/d/config", {.org = "o", .device = "d", .kind = TOPIC_CONFIG}},
        {"coldchain/v1/o/d/readings/0123456789abcdef/1",
         {.org = "o",
          .device = "d",
          .kind = TOPIC_READINGS,
          .epoch = 0x0123456789abcdef,
          .seq = 1}},
        {"coldchain/v1/" LONGEST "/" LONGEST
         "/readings/ffffffffffffffff/18446744073709551615",
         {.org = LONGEST,
          .device = LONGEST,
          .kind = TOPIC_READINGS,
          .epoch = UINT64_MAX,
          .seq = UINT64_MAX}},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct topic got = {0};
        char text[TOPIC_MAX];
        CHECK_ROW(rows[i].text,
                  topic_parse(&got, rows[i].text, strlen(rows[i].text)) == ERR_OK);
        CHECK_TEXT(got.org, rows[i].want.org);
        CHECK_TEXT(got.device, rows[i].want.device);
        CHECK_ROW(rows[i].text, got.kind == rows[i].want.kind);
        CHECK_ROW(rows[i].text, got.epoch == rows[i].want.epoch);
        CHECK_ROW(rows[i].text, got.seq == rows[i].want.seq);
        CHECK_TEXT(topic_format(&rows[i].want, text), rows[i].text);
    }
}

static void anything_else_is_refused(void)
{
    static const struct {
        const char *name;
        const char *text;
    } rows[] = {
        {"empty", ""},
        {"prefix only", "coldchain/v1/"},
        {"no device", "coldchain/v1/o"},
        {"no kind", "coldchain/v1/o/d"},
        {"empty kind", "coldchain/v1/o/d/"},
        {"unknown kind", "coldchain/v1/o/d/statu"},
        {"upper-case kind", "coldchain/v1/o/d/STATUS"},
        {"other version", "coldchain/v2/o/d/status"},
        {"other root", "coolchain/v1/o/d/status"},
        {"leading slash", "/coldchain/v1/o/d/status"},
        {"trailing slash", "coldchain/v1/o/d/status/"},
        {"a level too many", "coldchain/v1/o/d/status/x"},
        {"wildcard", "coldchain/v1/+/d/status"},
        {"hash", "coldchain/v1/o/d/#"},
        {"empty org", "coldchain/v1//d/status"},
        {"empty device", "coldchain/v1/o//status"},
        {"zones is no device", "coldchain/v1/o/zones/status"},
        {"a dot in a name", "coldchain/v1/o/d.1/status"},
        {"UTF-8 in a name", "coldchain/v1/奉节/d/status"},
        {"a name of 65", "coldchain/v1/o/" LONGEST "x/status"},
        {"no epoch", "coldchain/v1/o/d/readings"},
        {"no seq", "coldchain/v1/o/d/readings/0123456789abcdef"},
        {"empty seq", "coldchain/v1/o/d/readings/0123456789abcdef/"},
        {"short epoch", "coldchain/v1/o/d/readings/0123456789abcde/1"},
        {"long epoch", "coldchain/v1/o/d/readings/0123456789abcdef0/1"},
        {"upper-case epoch", "coldchain/v1/o/d/readings/0123456789ABCDEF/1"},
        {"epoch 0", "coldchain/v1/o/d/readings/0000000000000000/1"},
        {"seq 0", "coldchain/v1/o/d/readings/0123456789abcdef/0"},
        {"leading zero", "coldchain/v1/o/d/readings/0123456789abcdef/01"},
        {"negative", "coldchain/v1/o/d/readings/0123456789abcdef/-1"},
        {"hex seq", "coldchain/v1/o/d/readings/0123456789abcdef/a"},
        {"seq past u64",
         "coldchain/v1/o/d/readings/0123456789abcdef/18446744073709551616"},
        {"seq far past u64",
         "coldchain/v1/o/d/readings/0123456789abcdef/99999999999999999999999"},
        {"more behind the seq", "coldchain/v1/o/d/readings/0123456789abcdef/1/2"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct topic got = {.org = "old", .seq = 7};
        CHECK_ROW(rows[i].name,
                  topic_parse(&got, rows[i].text, strlen(rows[i].text)) == ERR_INVALID);
        CHECK_ROW(rows[i].name, got.org[0] == '\0' && got.seq == 0);
    }
}

/* Every byte of a topic matters: cut or with a NUL in it, it is another one or none. */
static void cut_and_embedded_nul(void)
{
    static const char text[] = "coldchain/v1/o/d/readings/0123456789abcdef/12";
    size_t len = sizeof text - 1;
    for (size_t cut = 0; cut < len - 1; cut++) {
        struct topic got;
        CHECK(topic_parse(&got, text, cut) == ERR_INVALID);
    }
    for (size_t at = 0; at < len; at++) {
        char nul[sizeof text];
        struct topic got;
        memcpy(nul, text, sizeof text);
        nul[at] = '\0';
        CHECK(topic_parse(&got, nul, len) == ERR_INVALID);
    }
}

static void epochs_have_one_spelling(void)
{
    uint64_t epoch = 42;
    char text[17];
    CHECK(epoch_parse(&epoch, "00000000000000ff") == ERR_OK && epoch == 255);
    CHECK_TEXT(epoch_format(255, text), "00000000000000ff");
    CHECK_TEXT(epoch_format(UINT64_MAX, text), "ffffffffffffffff");
    static const char *const rows[] = {"",
                                       "ff",
                                       "00000000000000fF",
                                       "00000000000000fg",
                                       " 0000000000000ff",
                                       "0x000000000000ff",
                                       "0000000000000000",
                                       "00000000000000ff0"};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        CHECK_ROW(rows[i], epoch_parse(&epoch, rows[i]) == ERR_INVALID);
        CHECK_ROW(rows[i], epoch == 255);
    }
}

static void a_later_version_is_told_from_a_strange_topic(void)
{
    static const struct {
        const char *topic;
        bool want;
    } rows[] = {
        {"coldchain/v2/o/d/status", true},
        {"coldchain/v10/o/d/status", true},
        {"coldchain/v1/o/d/status", false},
        {"coldchain/v1", false},
        {"coldchain/v2", false},
        {"coldchain/v02/o", false},
        {"coldchain/v0/o", false},
        {"coldchain/vx/o", false},
        {"other/v2/o/d/status", false},
        {"coldchain/v", false},
        {"", false},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        CHECK_ROW(rows[i].topic,
                  topic_is_newer(rows[i].topic, strlen(rows[i].topic)) == rows[i].want);
}

int main(void)
{
    CU_TestInfo tests[] = {
        {"topics read and write back", topics_read_and_write_back},
        {"anything else is refused", anything_else_is_refused},
        {"cut and embedded NUL", cut_and_embedded_nul},
        {"epochs have one spelling", epochs_have_one_spelling},
        {"a later version is told from a strange topic",
         a_later_version_is_told_from_a_strange_topic},
        CU_TEST_INFO_NULL,
    };
    return check_run("topic", tests);
}
