// SPDX-License-Identifier: Apache-2.0
/*
 * How versions meet on the wire (docs/wire.md section 9): what a later minor version may
 * add is passed over, and what changes the meaning is refused by its number.
 */
#include "telemetry/delivery.h"
#include "telemetry/pack.h"

#include "tests/support/check.h"

#define NONCE "\"nonce\":\"00112233445566778899aabbccddeeff\","
#define HELLO_REST \
    NONCE \
    "\"version\":\"0.1.0\",\"backlog\":\"7\",\"epochs\":[" \
    "{\"epoch\":\"9d3c51aa07b8e2f4\",\"first\":\"1\",\"last\":\"6\",\"current\":true"
#define ACK_REST \
    NONCE "\"store\":\"ffeeddccbbaa99887766554433221100\",\"generation\":\"3\"," \
          "\"interval\":10000,\"credits\":8,\"epochs\":[" \
          "{\"epoch\":\"9d3c51aa07b8e2f4\",\"through\":\"5\""

static void hello_rows(void)
{
    static const struct {
        const char *name;
        const char *text;
        enum err want;
    } rows[] = {
        {"of this version", "{\"v\":1," HELLO_REST "}]}", ERR_OK},
        {"a member more", "{\"v\":1,\"shoe\":[{}]," HELLO_REST "}]}", ERR_OK},
        {"a member more in an epoch", "{\"v\":1," HELLO_REST ",\"size\":{\"a\":1}}]}",
         ERR_OK},
        {"a later version", "{\"v\":2," HELLO_REST "}]}", ERR_UNSUPPORTED},
        {"a later version that says nothing else we know", "{\"v\":3}", ERR_UNSUPPORTED},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct hello hello;
        struct err_text why = {0};
        enum err err = hello_parse(&hello, rows[i].text, strlen(rows[i].text), &why);
        CHECK_ROW(rows[i].name, err == rows[i].want);
        CHECK_ROW(rows[i].name, err == ERR_OK || why.text[0] != '\0');
    }
}

static void ack_rows(void)
{
    static const struct {
        const char *name;
        const char *text;
        enum err want;
    } rows[] = {
        {"of this version", "{\"v\":1," ACK_REST "}]}", ERR_OK},
        {"a member more", "{\"v\":1,\"mood\":\"good\"," ACK_REST "}]}", ERR_OK},
        {"a member more in an epoch", "{\"v\":1," ACK_REST ",\"later\":[1,[2]]}]}",
         ERR_OK},
        {"a later version", "{\"v\":2," ACK_REST "}]}", ERR_UNSUPPORTED},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct ack ack = {0};
        struct err_text why = {0};
        enum err err = ack_parse(&ack, rows[i].text, strlen(rows[i].text), &why);
        CHECK_ROW(rows[i].name, err == rows[i].want);
        ack_fini(&ack);
    }
}

static void pack_rows(void)
{
    static const struct {
        const char *name;
        const char *text;
        enum err want;
    } rows[] = {
        {"of this version",
         "[{\"n\":\"humidity\",\"u\":\"%RH\",\"t\":1753772400,\"v\":90}]", ERR_OK},
        {"a label more",
         "[{\"cc-hue\":\"red\",\"x\":{\"y\":[1]},\"n\":\"humidity\",\"t\":1753772400,\"v\":90}]",
         ERR_OK},
        {"a label that must be understood",
         "[{\"hue_\":\"red\",\"n\":\"humidity\",\"t\":1753772400,\"v\":90}]",
         ERR_UNSUPPORTED},
        {"labels of a later version",
         "[{\"cc-v\":2,\"n\":\"humidity\",\"t\":1753772400,\"v\":90}]", ERR_UNSUPPORTED},
        {"a kind of a later version",
         "[{\"cc-kind\":\"dream\",\"n\":\"humidity\",\"t\":1753772400,\"v\":90}]",
         ERR_UNSUPPORTED},
        {"SenML of a later version",
         "[{\"bver\":99,\"n\":\"humidity\",\"t\":1753772400,\"v\":90}]", ERR_UNSUPPORTED},
        {"a quantity of a later version",
         "[{\"n\":\"moonlight-2\",\"t\":1753772400,\"v\":90}]", ERR_OK},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct pack pack = {0};
        struct err_text why = {0};
        enum err err = pack_parse(&pack, rows[i].text, strlen(rows[i].text),
                                  INT64_C(1753772400000), &why);
        if (err != rows[i].want)
            printf("\n  %s: %s %s\n", rows[i].name, err_name(err), why.text);
        CHECK_ROW(rows[i].name, err == rows[i].want);
        CHECK_ROW(rows[i].name, err != ERR_OK || pack.reading_count == 1);
        pack_fini(&pack);
    }
}

int main(void)
{
    CU_TestInfo tests[] = {
        {"a hello may grow, and says its version", hello_rows},
        {"an ack may grow, and says its version", ack_rows},
        {"a pack may grow, and says what must be understood", pack_rows},
        CU_TEST_INFO_NULL,
    };
    return check_run("versions", tests);
}
