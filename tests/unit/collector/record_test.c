// SPDX-License-Identifier: Apache-2.0
#include "collector/record.h"

#include "tests/support/check.h"

static void a_message_reads_back_the_same(void)
{
    struct record_message message = {
        .topic = "coldchain/v1/o/d/hello",
        .topic_len = 22,
        .content_type = "application/json",
        .content_type_len = 16,
        .payload = "{}",
        .payload_len = 2,
        .qos = 1,
        .is_retained = true,
    };
    uint8_t head[RECORD_MESSAGE_HEAD];
    record_message_head(&message, head);
    struct buf body = {0};
    buf_add(&body, head, sizeof head);
    buf_add(&body, message.topic, message.topic_len);
    buf_add(&body, message.content_type, message.content_type_len);
    buf_add(&body, message.payload, message.payload_len);
    struct record_message back;
    CHECK(record_message_parse(&back, body.data, body.len) == ERR_OK);
    CHECK(back.topic_len == 22 && memcmp(back.topic, message.topic, 22) == 0);
    CHECK(back.content_type_len == 16);
    CHECK(back.payload_len == 2 && memcmp(back.payload, "{}", 2) == 0);
    CHECK(back.qos == 1 && back.is_retained && !back.is_duplicate);
    for (size_t len = 0; len < sizeof head + 22 + 16; len++)
        CHECK(record_message_parse(&back, body.data, len) == ERR_CORRUPT);
    buf_fini(&body);
}

static void names_that_are_too_long_are_cut(void)
{
    char topic[RECORD_TOPIC_MAX + 50];
    memset(topic, 'x', sizeof topic);
    struct record_message message = {.topic = topic, .topic_len = sizeof topic};
    uint8_t head[RECORD_MESSAGE_HEAD];
    record_message_head(&message, head);
    CHECK(message.topic_len == RECORD_TOPIC_MAX);
}

static void a_result_reads_back_the_same(void)
{
    struct record_result result = {.message = 7,
                                   .outcome = STATE_OUTBOX_PENDING,
                                   .next_attempt_ms = 123456789,
                                   .text = "status 500"};
    struct buf body = {0};
    record_result_format(&result, &body);
    struct record_result back;
    CHECK(record_result_parse(&back, body.data, body.len) == ERR_OK);
    CHECK(back.message == 7 && back.outcome == STATE_OUTBOX_PENDING);
    CHECK(back.next_attempt_ms == 123456789);
    CHECK_TEXT(back.text, "status 500");
    for (size_t len = 0; len < body.len; len++)
        CHECK(record_result_parse(&back, body.data, len) == ERR_CORRUPT);
    body.data[8] = 9;
    CHECK(record_result_parse(&back, body.data, body.len) == ERR_CORRUPT);
    buf_fini(&body);
}

static void an_attempt_reads_back_the_same(void)
{
    const struct record_attempt attempt = {.message = 7, .retry_ms = 123456789};
    struct buf body = {0};
    record_attempt_format(&attempt, &body);
    struct record_attempt back;
    CHECK(record_attempt_parse(&back, body.data, body.len) == ERR_OK);
    CHECK(back.message == 7 && back.retry_ms == 123456789);
    for (size_t len = 0; len < body.len; len++)
        CHECK(record_attempt_parse(&back, body.data, len) == ERR_CORRUPT);
    buf_fini(&body);
}

int main(void)
{
    CU_TestInfo tests[] = {
        {"a message reads back the same", a_message_reads_back_the_same},
        {"names that are too long are cut", names_that_are_too_long_are_cut},
        {"a result reads back the same", a_result_reads_back_the_same},
        {"an attempt reads back the same", an_attempt_reads_back_the_same},
        CU_TEST_INFO_NULL,
    };
    return check_run("record", tests);
}
