// SPDX-License-Identifier: Apache-2.0
#include "telemetry/delivery.h"

#include "tests/support/check.h"

#define NONCE "00112233445566778899aabbccddeeff"
#define STORE "ffeeddccbbaa99887766554433221100"
#define E1    "0000000000000001"

static struct hello a_hello(void)
{
    return (struct hello){
        .nonce = NONCE,
        .version = "1.2.0~rc1+git",
        .backlog = UINT64_MAX,
        .epochs = {{.epoch = 1, .first = 5, .last = UINT64_MAX},
                   {.epoch = UINT64_MAX, .first = 1, .last = 0, .is_current = true}},
        .epoch_count = 2,
    };
}

static void a_hello_survives(void)
{
    struct hello hello = a_hello();
    struct hello got;
    struct err_text why = {""};
    struct buf text = {0};
    hello_format(&hello, &text);
    CHECK_TEXT(text.data,
               "{\"v\":1,\"nonce\":\"" NONCE "\",\"version\":\"1.2.0~rc1+git\","
               "\"backlog\":\"18446744073709551615\",\"epochs\":["
               "{\"epoch\":\"" E1 "\",\"first\":\"5\",\"last\":\"18446744073709551615\","
               "\"current\":false},"
               "{\"epoch\":\"ffffffffffffffff\",\"first\":\"1\",\"last\":\"0\","
               "\"current\":true}]}");
    CHECK(hello_parse(&got, text.data, text.len, &why) == ERR_OK);
    CHECK_TEXT(got.nonce, hello.nonce);
    CHECK_TEXT(got.version, hello.version);
    CHECK(got.backlog == hello.backlog && got.epoch_count == 2);
    for (size_t i = 0; i < 2; i++) {
        CHECK(got.epochs[i].epoch == hello.epochs[i].epoch);
        CHECK(got.epochs[i].first == hello.epochs[i].first);
        CHECK(got.epochs[i].last == hello.epochs[i].last);
        CHECK(got.epochs[i].is_current == hello.epochs[i].is_current);
    }
    buf_fini(&text);
}

static struct ack an_ack(void)
{
    struct ack ack = {
        .nonce = NONCE,
        .store = STORE,
        .generation = UINT64_MAX,
        .ack_interval_ms = 10000,
        .credits = UINT32_MAX,
        .backlog_credits = 16,
    };
    struct ack_epoch *epoch = ack_add_epoch(&ack, 1);
    epoch->through = 17;
    epoch->ranges[0] = (struct seq_range){.first = 20, .last = 22};
    epoch->ranges[1] = (struct seq_range){.first = UINT64_MAX, .last = UINT64_MAX};
    epoch->range_count = 2;
    epoch->rejected[0] = (struct seq_range){.first = 3, .last = 3};
    epoch->rejected_count = 1;
    epoch->wanted[0] = (struct seq_range){.first = 18, .last = 19};
    epoch->wanted_count = 1;
    epoch->closed[0] = (struct seq_range){.first = 1, .last = 2};
    epoch->closed_count = 1;
    epoch->seams[0] = (struct ack_seam){.seq = UINT64_MAX, .hash = 0xabc};
    epoch->seam_count = 1;
    epoch->end_epoch = true;
    ack_add_epoch(&ack, 2);
    return ack;
}

static bool same_ranges(const struct seq_range *a, size_t a_count,
                        const struct seq_range *b, size_t b_count)
{
    return a_count == b_count && memcmp(a, b, a_count * sizeof *a) == 0;
}

static bool same_epoch(const struct ack_epoch *a, const struct ack_epoch *b)
{
    return a->epoch == b->epoch && a->through == b->through &&
           a->end_epoch == b->end_epoch &&
           same_ranges(a->ranges, a->range_count, b->ranges, b->range_count) &&
           same_ranges(a->rejected, a->rejected_count, b->rejected, b->rejected_count) &&
           same_ranges(a->wanted, a->wanted_count, b->wanted, b->wanted_count) &&
           same_ranges(a->closed, a->closed_count, b->closed, b->closed_count) &&
           a->seam_count == b->seam_count &&
           memcmp(a->seams, b->seams, a->seam_count * sizeof *a->seams) == 0;
}

static void an_ack_survives(void)
{
    struct ack ack = an_ack();
    struct ack got;
    struct err_text why = {""};
    struct buf text = {0};
    ack_format(&ack, &text);
    CHECK_TEXT(text.data,
               "{\"v\":1,\"nonce\":\"" NONCE "\",\"store\":\"" STORE "\","
               "\"generation\":\"18446744073709551615\",\"interval\":10000,"
               "\"credits\":4294967295,\"backlog_credits\":16,\"epochs\":["
               "{\"epoch\":\"" E1 "\",\"through\":\"17\",\"closed\":[[\"1\",\"2\"]],"
               "\"seams\":[[\"18446744073709551615\",\"0000000000000abc\"]],"
               "\"ranges\":[[\"20\",\"22\"],"
               "[\"18446744073709551615\",\"18446744073709551615\"]],"
               "\"rejected\":[[\"3\",\"3\"]],\"wanted\":[[\"18\",\"19\"]],\"end\":true},"
               "{\"epoch\":\"0000000000000002\",\"through\":\"0\"}]}");
    CHECK(ack_parse(&got, text.data, text.len, &why) == ERR_OK);
    CHECK_TEXT(got.nonce, ack.nonce);
    CHECK_TEXT(got.store, ack.store);
    CHECK(got.generation == ack.generation && got.credits == ack.credits);
    CHECK(got.backlog_credits == ack.backlog_credits);
    CHECK(got.ack_interval_ms == ack.ack_interval_ms && got.epoch_count == 2);
    CHECK(same_epoch(&got.epochs[0], &ack.epochs[0]));
    CHECK(same_epoch(&got.epochs[1], &ack.epochs[1]));
    buf_fini(&text);
    ack_fini(&ack);
    ack_fini(&got);
    CHECK(got.epochs == NULL && got.epoch_count == 0);
}

/* As many ranges as fit into the structs are more than fit into a message. */
static void the_longest_ack_is_cut_to_fit(void)
{
    struct ack ack = an_ack();
    ack.epoch_count = 0;
    for (uint64_t i = 0; i < DELIVERY_EPOCHS_MAX; i++) {
        struct ack_epoch *epoch = ack_add_epoch(&ack, UINT64_MAX - i);
        epoch->through = UINT64_MAX - 1000;
        for (size_t j = 0; j < DELIVERY_RANGES_MAX; j++)
            epoch->ranges[j] = epoch->rejected[j] = epoch->wanted[j] =
                (struct seq_range){.first = UINT64_MAX - 1, .last = UINT64_MAX};
        epoch->range_count = epoch->rejected_count = epoch->wanted_count =
            DELIVERY_RANGES_MAX;
        for (size_t j = 0; j < DELIVERY_CLOSED_MAX; j++)
            epoch->closed[j] = epoch->ranges[j];
        for (size_t j = 0; j < DELIVERY_CLOSED_MAX; j++)
            epoch->seams[j] = (struct ack_seam){UINT64_MAX - j, UINT64_MAX};
        epoch->closed_count = epoch->seam_count = DELIVERY_CLOSED_MAX;
        epoch->end_epoch = true;
    }
    CHECK(ack_add_epoch(&ack, 1) == NULL);
    struct buf text = {0};
    struct ack got;
    struct err_text why = {""};
    ack_format(&ack, &text);
    CHECK(text.len <= DELIVERY_BYTES_MAX && text.len > DELIVERY_BYTES_MAX / 2);
    CHECK(ack_parse(&got, text.data, text.len, &why) == ERR_OK);
    CHECK(got.epoch_count == DELIVERY_EPOCHS_MAX);
    for (size_t i = 0; i < got.epoch_count; i++)
        CHECK(got.epochs[i].closed_count == DELIVERY_CLOSED_MAX && /* none is left out */
              got.epochs[i].seam_count == DELIVERY_CLOSED_MAX);
    for (size_t i = 0; i < got.epoch_count; i++)
        CHECK(got.epochs[i].through == UINT64_MAX - 1000 && got.epochs[i].end_epoch);
    buf_fini(&text);
    ack_fini(&ack);
    ack_fini(&got);
}

#define HELLO(members) \
    "{\"v\":1,\"nonce\":\"n\",\"version\":\"\",\"backlog\":\"0\"," members "}"
#define EPOCH(first, last) \
    "{\"epoch\":\"" E1 "\",\"first\":\"" first "\",\"last\":\"" last "\"}"

static void hellos_are_checked(void)
{
    static const struct {
        const char *name;
        const char *text;
        enum err want;
    } rows[] = {
        {"holds nothing", HELLO("\"epochs\":[]"), ERR_OK},
        {"unknown members", HELLO("\"epochs\":[],\"new\":{\"a\":[1]}"), ERR_OK},
        {"one epoch", HELLO("\"epochs\":[" EPOCH("1", "9") "]"), ERR_OK},
        {"an epoch that is empty", HELLO("\"epochs\":[" EPOCH("10", "9") "]"), ERR_OK},
        {"first beyond last", HELLO("\"epochs\":[" EPOCH("11", "9") "]"), ERR_INVALID},
        {"first 0", HELLO("\"epochs\":[" EPOCH("0", "9") "]"), ERR_INVALID},
        {"leading zero", HELLO("\"epochs\":[" EPOCH("01", "9") "]"), ERR_INVALID},
        {"negative", HELLO("\"epochs\":[" EPOCH("-1", "9") "]"), ERR_INVALID},
        {"past u64", HELLO("\"epochs\":[" EPOCH("1", "18446744073709551616") "]"),
         ERR_INVALID},
        {"no text", HELLO("\"epochs\":[" EPOCH("1", "") "]"), ERR_INVALID},
        {"more than digits", HELLO("\"epochs\":[" EPOCH("1", "9x") "]"), ERR_INVALID},
        {"an epoch twice", HELLO("\"epochs\":[" EPOCH("1", "9") "," EPOCH("1", "9") "]"),
         ERR_INVALID},
        {"two current epochs",
         HELLO("\"epochs\":[{\"epoch\":\"" E1 "\",\"first\":\"1\",\"last\":\"1\","
               "\"current\":true},{\"epoch\":\"0000000000000002\",\"first\":\"1\","
               "\"last\":\"1\",\"current\":true}]"),
         ERR_INVALID},
        {"current is no flag",
         HELLO("\"epochs\":[{\"epoch\":\"" E1 "\",\"first\":\"1\",\"last\":\"1\","
               "\"current\":1}]"),
         ERR_INVALID},
        {"an epoch that is text", HELLO("\"epochs\":[\"x\"]"), ERR_INVALID},
        {"epochs is no list", HELLO("\"epochs\":{}"), ERR_INVALID},
        {"no epochs", HELLO("\"new\":1"), ERR_INVALID},
        {"a number for backlog",
         "{\"v\":1,\"nonce\":\"n\",\"version\":\"\",\"backlog\":0,\"epochs\":[]}",
         ERR_INVALID},
        {"no nonce", "{\"v\":1,\"version\":\"\",\"backlog\":\"0\",\"epochs\":[]}",
         ERR_INVALID},
        {"empty nonce",
         "{\"v\":1,\"nonce\":\"\",\"version\":\"\",\"backlog\":\"0\",\"epochs\":[]}",
         ERR_INVALID},
        {"long nonce",
         "{\"v\":1,\"nonce\":\"" NONCE "0\",\"version\":\"\",\"backlog\":\"0\","
         "\"epochs\":[]}",
         ERR_INVALID},
        {"quote in the version",
         "{\"v\":1,\"nonce\":\"n\",\"version\":\"\\\"\",\"backlog\":\"0\",\"epochs\":[]}",
         ERR_INVALID},
        {"a newer version", "{\"v\":2,\"anything\":1}", ERR_UNSUPPORTED},
        {"version 0", "{\"v\":0}", ERR_INVALID},
        {"no version", "{}", ERR_INVALID},
        {"twice", "{\"v\":1,\"v\":1}", ERR_INVALID},
        {"a list", "[]", ERR_INVALID},
        {"nothing", "", ERR_INVALID},
        {"cut", "{\"v\":1", ERR_INVALID},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct hello got = {.backlog = 7};
        struct err_text why = {""};
        CHECK_ROW(rows[i].name, hello_parse(&got, rows[i].text, strlen(rows[i].text),
                                            &why) == rows[i].want);
        CHECK_ROW(rows[i].name, (why.text[0] == '\0') == (rows[i].want == ERR_OK));
        CHECK_ROW(rows[i].name, rows[i].want == ERR_OK ||
                                    (got.nonce[0] == '\0' && got.epoch_count == 0));
    }
}

#define ACK(members) \
    "{\"v\":1,\"nonce\":\"n\",\"store\":\"s\",\"generation\":\"1\"," members "}"
#define ACK_HEAD "\"interval\":1,\"credits\":8,"
#define ACK_EPOCH(members) \
    ACK(ACK_HEAD "\"epochs\":[{\"epoch\":\"" E1 "\",\"through\":\"1\"," members "}]")

static void acks_are_checked(void)
{
    static const struct {
        const char *name;
        const char *text;
        enum err want;
    } rows[] = {
        {"no epochs", ACK(ACK_HEAD "\"epochs\":[]"), ERR_OK},
        {"answers no session",
         "{\"v\":1,\"nonce\":\"\",\"store\":\"s\",\"generation\":\"1\"," ACK_HEAD
         "\"epochs\":[]}",
         ERR_OK},
        {"unknown members", ACK(ACK_HEAD "\"epochs\":[],\"later\":null"), ERR_OK},
        {"ranges in any order", ACK_EPOCH("\"rejected\":[[\"5\",\"6\"],[\"1\",\"2\"]]"),
         ERR_OK},
        {"an empty list", ACK_EPOCH("\"wanted\":[]"), ERR_OK},
        {"a list of null", ACK_EPOCH("\"wanted\":null"), ERR_INVALID},
        {"no pair", ACK_EPOCH("\"ranges\":[[\"5\"]]"), ERR_INVALID},
        {"three of a pair", ACK_EPOCH("\"ranges\":[[\"5\",\"6\",\"7\"]]"), ERR_INVALID},
        {"backwards", ACK_EPOCH("\"ranges\":[[\"6\",\"5\"]]"), ERR_INVALID},
        {"from 0", ACK_EPOCH("\"ranges\":[[\"0\",\"5\"]]"), ERR_INVALID},
        {"numbers", ACK_EPOCH("\"ranges\":[[1,5]]"), ERR_INVALID},
        {"end is no flag", ACK_EPOCH("\"end\":\"true\""), ERR_INVALID},
        {"epoch in upper case",
         ACK(ACK_HEAD "\"epochs\":[{\"epoch\":\"000000000000000A\",\"through\":\"1\"}]"),
         ERR_INVALID},
        {"an epoch twice",
         ACK(ACK_HEAD "\"epochs\":[{\"epoch\":\"" E1 "\",\"through\":\"1\"},"
                      "{\"epoch\":\"" E1 "\",\"through\":\"2\"}]"),
         ERR_INVALID},
        {"no through", ACK(ACK_HEAD "\"epochs\":[{\"epoch\":\"" E1 "\"}]"), ERR_INVALID},
        {"negative interval", ACK("\"interval\":-1,\"credits\":8,\"epochs\":[]"),
         ERR_INVALID},
        {"an interval of months",
         ACK("\"interval\":2147483648,\"credits\":8,\"epochs\":[]"), ERR_INVALID},
        {"credits past u32", ACK("\"interval\":1,\"credits\":4294967296,\"epochs\":[]"),
         ERR_INVALID},
        {"half a credit", ACK("\"interval\":1,\"credits\":0.5,\"epochs\":[]"),
         ERR_INVALID},
        {"nothing said of a backlog", ACK(ACK_HEAD "\"epochs\":[]"), ERR_OK},
        {"a backlog of null", ACK(ACK_HEAD "\"backlog_credits\":null,\"epochs\":[]"),
         ERR_INVALID},
        {"a backlog as text", ACK(ACK_HEAD "\"backlog_credits\":\"1\",\"epochs\":[]"),
         ERR_INVALID},
        {"no store", "{\"v\":1,\"nonce\":\"n\",\"generation\":\"1\"}", ERR_INVALID},
        {"no generation", "{\"v\":1,\"nonce\":\"n\",\"store\":\"s\"}", ERR_INVALID},
        {"a newer version", "{\"v\":99}", ERR_UNSUPPORTED},
        {"not JSON", "\xff", ERR_INVALID},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct ack got;
        struct err_text why = {""};
        CHECK_ROW(rows[i].name, ack_parse(&got, rows[i].text, strlen(rows[i].text),
                                          &why) == rows[i].want);
        CHECK_ROW(rows[i].name, (why.text[0] == '\0') == (rows[i].want == ERR_OK));
        CHECK_ROW(rows[i].name, rows[i].want == ERR_OK || got.epochs == NULL);
        ack_fini(&got);
    }
}

/* As one did that knew of no slots. */
static void an_ack_without_slots_grants_as_much(void)
{
    struct ack got;
    struct err_text why = {""};
    const char *text = ACK(ACK_HEAD "\"epochs\":[]");
    CHECK(ack_parse(&got, text, strlen(text), &why) == ERR_OK);
    CHECK(got.credits == 8 && got.backlog_credits == 8);
    ack_fini(&got);
}

static void too_much_is_refused(void)
{
    struct buf text = {0};
    struct hello hello;
    struct ack ack;
    struct err_text why;
    buf_text(&text, "{\"v\":1,\"nonce\":\"n\",\"version\":\"\",\"backlog\":\"0\","
                    "\"store\":\"s\",\"generation\":\"1\"," ACK_HEAD "\"epochs\":[");
    for (unsigned i = 0; i <= DELIVERY_EPOCHS_MAX; i++)
        buf_format(&text,
                   "%s{\"epoch\":\"%016x\",\"first\":\"1\",\"last\":\"1\","
                   "\"through\":\"1\"}",
                   i > 0 ? "," : "", i + 1);
    buf_text(&text, "]}");
    CHECK(hello_parse(&hello, text.data, text.len, &why) == ERR_LIMIT);
    CHECK(ack_parse(&ack, text.data, text.len, &why) == ERR_LIMIT);

    buf_clear(&text);
    buf_text(&text,
             "{\"v\":1,\"nonce\":\"n\",\"store\":\"s\",\"generation\":\"1\"," ACK_HEAD
             "\"epochs\":[{\"epoch\":\"" E1 "\",\"through\":\"1\",\"wanted\":[");
    for (unsigned i = 0; i <= DELIVERY_RANGES_MAX; i++)
        buf_format(&text, "%s[\"1\",\"2\"]", i > 0 ? "," : "");
    buf_text(&text, "]}]}");
    CHECK(ack_parse(&ack, text.data, text.len, &why) == ERR_LIMIT);

    buf_clear(&text);
    buf_text(&text, HELLO("\"epochs\":[]"));
    while (text.len <= DELIVERY_BYTES_MAX)
        buf_text(&text, " ");
    CHECK(hello_parse(&hello, text.data, text.len, &why) == ERR_LIMIT);
    CHECK(hello_parse(&hello, text.data, text.len - 1, &why) == ERR_OK);
    buf_fini(&text);
}

int main(void)
{
    CU_TestInfo tests[] = {
        {"a hello survives", a_hello_survives},
        {"an ack survives", an_ack_survives},
        {"the longest ack is cut to fit", the_longest_ack_is_cut_to_fit},
        {"hellos are checked", hellos_are_checked},
        {"acks are checked", acks_are_checked},
        {"an ack without slots grants as much", an_ack_without_slots_grants_as_much},
        {"too much is refused", too_much_is_refused},
        CU_TEST_INFO_NULL,
    };
    return check_run("delivery", tests);
}
