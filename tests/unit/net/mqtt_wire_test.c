// SPDX-License-Identifier: Apache-2.0
#include "net/mqtt_wire.h"
#include "tests/support/check.h"

static void hex(char *text, const struct buf *buf)
{
    for (size_t i = 0; i < buf->len; i++)
        snprintf(text + 2 * i, 3, "%02x", (unsigned char)buf->data[i]);
}

/* By hand from MQTT 5, 3.1, 3.3, 3.8 and 3.14. */
static void packets_are_those_of_the_standard(void)
{
    const struct mqtt_login full = {.client_id = "c",
                                    .username = "u",
                                    .password = "p",
                                    .session_expiry_s = 0x01020304};
    const struct mqtt_login bare = {.client_id = "", .clean_start = true};
    struct buf packet = {0};
    char text[200] = "";
    mqtt_wire_connect(&packet, &full);
    hex(text, &packet);
    CHECK_TEXT(text, "101c00044d51545405c0003c0811010203042100010001630001750001"
                     "70");
    buf_clear(&packet);
    mqtt_wire_connect(&packet, &bare);
    hex(text, &packet);
    CHECK_TEXT(text, "101500044d5154540502003c0811000000002100010000");
    buf_clear(&packet);
    mqtt_wire_publish(&packet, "a/b", 0x0102);
    hex(text, &packet);
    CHECK_TEXT(text, "32080003612f62010200");
    buf_clear(&packet);
    mqtt_wire_subscribe(&packet, "a/+", 3);
    hex(text, &packet);
    CHECK_TEXT(text, "82090003000003612f2b21");
    buf_clear(&packet);
    mqtt_wire_disconnect(&packet, true);
    mqtt_wire_disconnect(&packet, false);
    hex(text, &packet);
    CHECK_TEXT(text, "e000e00700051100000000");
    buf_fini(&packet);
}

static void answers_by_rows(void)
{
    static const struct {
        const char *name;
        enum mqtt_packet type;
        const char *body;
        size_t len;
        enum err want;
        int reason;
        bool is_old;
    } rows[] = {
        {"let in", MQTT_PACKET_CONNACK, "\0\0\0", 3, ERR_OK, 0, false},
        {"refused", MQTT_PACKET_CONNACK, "\0\x87\0", 3, ERR_OK, 0x87, false},
        {"an old broker", MQTT_PACKET_CONNACK, "\0\1", 2, ERR_OK, 0x81, true},
        {"no flags", MQTT_PACKET_CONNACK, "", 0, ERR_CORRUPT, 0, false},
        {"odd flags", MQTT_PACKET_CONNACK, "\2\0\0", 3, ERR_CORRUPT, 0, false},
        {"taken, the short way", MQTT_PACKET_PUBACK, "\0\7", 2, ERR_OK, 0, false},
        {"nobody listens", MQTT_PACKET_PUBACK, "\0\7\x10", 3, ERR_OK, 0x10, false},
        {"not allowed", MQTT_PACKET_PUBACK, "\0\7\x87", 3, ERR_OK, 0x87, false},
        {"half an id", MQTT_PACKET_PUBACK, "\0", 1, ERR_CORRUPT, 0, false},
        {"granted", MQTT_PACKET_SUBACK, "\0\7\0\1", 4, ERR_OK, 1, false},
        {"behind properties", MQTT_PACKET_SUBACK, "\0\7\2xx\x87", 6, ERR_OK, 0x87, false},
        {"no reason", MQTT_PACKET_SUBACK, "\0\7\0", 3, ERR_CORRUPT, 0, false},
        {"properties behind its end", MQTT_PACKET_SUBACK, "\0\7\7\1", 4, ERR_CORRUPT, 0,
         false},
        {"a length without end", MQTT_PACKET_SUBACK, "\0\7\xff\xff\xff\xff\xff", 7,
         ERR_CORRUPT, 0, false},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct mqtt_answer answer;
        enum err err = mqtt_wire_parse(&answer, rows[i].type, rows[i].body, rows[i].len);
        CHECK_ROW(rows[i].name, err == rows[i].want);
        if (err != ERR_OK)
            continue;
        CHECK_ROW(rows[i].name, answer.reason == rows[i].reason);
        CHECK_ROW(rows[i].name, answer.is_old == rows[i].is_old);
        CHECK_ROW(rows[i].name, rows[i].type == MQTT_PACKET_CONNACK || answer.id == 7);
    }
}

int main(void)
{
    CU_TestInfo tests[] = {
        {"packets are those of the standard", packets_are_those_of_the_standard},
        {"answers are read, or refused", answers_by_rows},
        CU_TEST_INFO_NULL,
    };
    return check_run("mqtt_wire", tests);
}
