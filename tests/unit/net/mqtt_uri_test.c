// SPDX-License-Identifier: Apache-2.0
#include "net/mqtt_uri.h"
#include "tests/support/check.h"

static void addresses_by_rows(void)
{
    static const struct {
        const char *text;
        const char *want; /* as Paho takes it; NULL: refused */
    } rows[] = {
        {"mqtt://localhost", "tcp://localhost:1883"},
        {"mqtt://localhost:11883", "tcp://localhost:11883"},
        {"mqtt://localhost/", "tcp://localhost:1883"},
        {"mqtts://broker.example.org", "ssl://broker.example.org:8883"},
        {"mqtts://10.0.0.1:443", "ssl://10.0.0.1:443"},
        {"mqtt://[::1]:1883", "tcp://[::1]:1883"},
        {"mqtt://[fe80::1%eth0]", "tcp://[fe80::1%eth0]:1883"},
        {"mqtt://under_score-dash", "tcp://under_score-dash:1883"},
        {"", NULL},
        {"localhost", NULL},
        {"tcp://localhost", NULL},
        {"MQTT://localhost", NULL},
        {"mqtt://", NULL},
        {"mqtt://:1883", NULL},
        {"mqtt://host:", NULL},
        {"mqtt://host:0", NULL},
        {"mqtt://host:65536", NULL},
        {"mqtt://host:018830", NULL},
        {"mqtt://host:1883x", NULL},
        {"mqtt://host:1883/path", NULL},
        {"mqtt://user:pw@host", NULL},
        {"mqtt://ho st", NULL},
        {"mqtt://[::1", NULL},
        {"mqtt://::1", NULL},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct mqtt_uri uri;
        struct err_text why = {0};
        char text[MQTT_PAHO_URI_MAX];
        enum err err = mqtt_uri_parse(&uri, rows[i].text, &why);
        CHECK_ROW(rows[i].text, (err == ERR_OK) == (rows[i].want != NULL));
        CHECK_ROW(rows[i].text, (err == ERR_OK) == (why.text[0] == '\0'));
        if (rows[i].want != NULL)
            CHECK_TEXT(mqtt_uri_format_paho(text, &uri), rows[i].want);
    }
}

static void a_host_as_long_as_dns_allows_fits(void)
{
    char text[400] = "mqtt://";
    struct mqtt_uri uri;
    memset(text + 7, 'a', 253);
    CHECK(mqtt_uri_parse(&uri, text, NULL) == ERR_OK);
    CHECK(strlen(uri.host) == 253);
    text[7 + 253] = 'a';
    CHECK(mqtt_uri_parse(&uri, text, NULL) == ERR_INVALID);
}

static void refusals_say_what_to_write(void)
{
    struct mqtt_uri uri;
    struct err_text why;
    CHECK(mqtt_uri_parse(&uri, "tcp://a", &why) == ERR_INVALID);
    CHECK_TEXT(why.text,
               "'tcp://a' is no broker address: it begins with mqtt:// or mqtts://");
    CHECK(mqtt_uri_parse(&uri, "mqtts://a:x", &why) == ERR_INVALID);
    CHECK_TEXT(why.text,
               "'mqtts://a:x' is no broker address such as mqtts://example.org:8883");
    CHECK(mqtt_uri_parse(&uri, "mqtt://me:secret@a", &why) == ERR_INVALID);
    CHECK(strstr(why.text, "secret") == NULL);
}

static CU_TestInfo tests[] = {
    {"addresses by rows", addresses_by_rows},
    {"a host as long as DNS allows fits", a_host_as_long_as_dns_allows_fits},
    {"refusals say what to write", refusals_say_what_to_write},
    CU_TEST_INFO_NULL,
};

int main(void)
{
    return check_run("mqtt_uri", tests);
}
