// SPDX-License-Identifier: Apache-2.0
#include "journal/format.h"

#include "base/crc32c.h"
#include "tests/support/check.h"

static void names_rows(void)
{
    static const struct {
        const char *name;
        bool want;
        uint32_t number;
        uint32_t part;
    } rows[] = {
        {"segment-0000000001-00.log", true, 1, 0},
        {"segment-4294967294-07.log", true, 4294967294u, 7},
        {"segment-0000000000-00.log", false, 0, 0},
        {"segment-4294967295-00.log", false, 0, 0},
        {"segment-9999999999-00.log", false, 0, 0},
        {"segment-1-0.log", false, 0, 0},
        {"segment-0000000001-00.log.g2", false, 0, 0},
        {"new-0000000001.tmp", false, 0, 0},
        {"lock", false, 0, 0},
        {"", false, 0, 0},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        uint32_t number = 0, part = 0;
        CHECK_ROW(rows[i].name,
                  segment_name_parse(rows[i].name, &number, &part) == rows[i].want);
        CHECK_ROW(rows[i].name, number == rows[i].number && part == rows[i].part);
    }
}

static void headers_go_both_ways_with_either_copy(void)
{
    static uint8_t area[HEADER_AREA];
    struct segment_header header = {.number = 7,
                                    .part = 2,
                                    .from = 8192,
                                    .segment_bytes = 1 << 20,
                                    .salt = 0x0123456789abcdef,
                                    .generation = 3,
                                    .id = "fifteen letters"};
    struct segment_header back;
    bool damaged = true;
    segment_header_format(area, &header);
    CHECK(segment_header_parse(&back, area, sizeof area, &damaged) && !damaged);
    CHECK(back.number == 7 && back.part == 2 && back.from == 8192);
    CHECK(back.salt == header.salt && back.generation == 3);
    CHECK(memcmp(back.id, header.id, sizeof back.id) == 0);
    CHECK(segment_header_parse(&back, area, HEADER_BYTES, &damaged) && damaged);
    CHECK(!segment_header_parse(&back, area, HEADER_BYTES - 1, &damaged));
    for (size_t bit = 0; bit < 8 * HEADER_BYTES; bit++) {
        area[bit / 8] ^= (uint8_t)(1u << bit % 8);
        CHECK(segment_header_parse(&back, area, sizeof area, &damaged) && damaged);
        CHECK(back.salt == header.salt);
        area[HEADER_COPY + bit / 8] ^= (uint8_t)(1u << bit % 8);
        CHECK(!segment_header_parse(&back, area, sizeof area, &damaged));
        area[bit / 8] ^= (uint8_t)(1u << bit % 8);
        area[HEADER_COPY + bit / 8] ^= (uint8_t)(1u << bit % 8);
    }
}

/* Bytes of another run, another place or another segment never become a record. */
static void frames_belong_to_one_place_and_one_salt(void)
{
    static const char body[] = "some body";
    uint8_t bytes[FRAME_HEADER + sizeof body];
    uint64_t salt = 77, position = position_of(3, 4096);
    struct frame frame = {.type = 20, .len = sizeof body, .serial = 5, .wall_ms = -1};
    frame.body_crc = frame_salted(crc32c(0, body, sizeof body), salt, position);
    frame_format(bytes, &frame, salt, position);
    memcpy(bytes + FRAME_HEADER, body, sizeof body);
    static const struct {
        const char *name;
        uint64_t salt;
        uint32_t segment;
        uint32_t offset;
        bool want;
    } rows[] = {
        {"its own", 77, 3, 4096, true},
        {"another salt", 78, 3, 4096, false},
        {"another segment", 77, 4, 4096, false},
        {"another offset", 77, 3, 4104, false},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct frame back;
        uint64_t place = position_of(rows[i].segment, rows[i].offset);
        CHECK_ROW(rows[i].name,
                  frame_parse(&back, bytes, rows[i].salt, place) == rows[i].want);
        CHECK_ROW(rows[i].name, frame_body_is_sound(&frame, bytes + FRAME_HEADER,
                                                    rows[i].salt, place) == rows[i].want);
    }
    struct frame back;
    frame_resalt(bytes, salt, 99, position);
    CHECK(!frame_parse(&back, bytes, salt, position));
    CHECK(frame_parse(&back, bytes, 99, position) && back.wall_ms == -1);
    CHECK(frame_body_is_sound(&back, bytes + FRAME_HEADER, 99, position));
}

static void a_length_beyond_the_cap_is_no_frame(void)
{
    uint8_t bytes[FRAME_HEADER];
    struct frame frame = {.type = 20, .len = JOURNAL_BODY_MAX}, back;
    frame_format(bytes, &frame, 1, 4096);
    CHECK(frame_parse(&back, bytes, 1, 4096));
    /* As a liar would write it: with a header CRC that fits. */
    bytes[10] = 0x21;
    uint8_t suffix[16] = {1, 0, 0, 0, 0, 0, 0, 0, 0, 16};
    uint32_t crc = crc32c(crc32c(0, bytes, 36), suffix, sizeof suffix);
    memcpy(bytes + 36, &crc, sizeof crc);
    CHECK(!frame_parse(&back, bytes, 1, 4096));
}

static void own_bodies_go_both_ways(void)
{
    uint8_t bytes[64];
    struct begin begin = {1, 2, BEGIN_ROTATE, {3}}, begin_back;
    struct commit commit = {1, 2, 3, 4, {5}}, commit_back;
    struct journal_loss loss = {1, 2, JOURNAL_LOSS_MISSING, 4}, loss_back;
    begin_format(bytes, &begin);
    CHECK(begin_parse(&begin_back, bytes, BEGIN_BYTES));
    CHECK(begin_back.previous_end == 1 && begin_back.synced_through == 2);
    CHECK(begin_back.kind == BEGIN_ROTATE && begin_back.chain[0] == 3);
    CHECK(!begin_parse(&begin_back, bytes, BEGIN_BYTES - 1));
    commit_format(bytes, &commit);
    CHECK(commit_parse(&commit_back, bytes, COMMIT_BYTES));
    CHECK(commit_back.first == 1 && commit_back.last == 2 && commit_back.count == 3);
    CHECK(commit_back.synced_through == 4 && commit_back.chain[0] == 5);
    CHECK(!commit_parse(&commit_back, bytes, 0));
    loss_format(bytes, &loss);
    CHECK(loss_parse(&loss_back, bytes, LOSS_BYTES));
    CHECK(memcmp(&loss, &loss_back, sizeof loss) == 0);
    bytes[16] = 200; /* a reason of a later version */
    CHECK(loss_parse(&loss_back, bytes, LOSS_BYTES));
    CHECK(loss_back.reason == JOURNAL_LOSS_ROT);
    CHECK_TEXT(journal_loss_name(JOURNAL_LOSS_TRIMMED), "trimmed");
}

static CU_TestInfo tests[] = {
    {"names of segments", names_rows},
    {"headers go both ways with either copy", headers_go_both_ways_with_either_copy},
    {"frames belong to one place and one salt", frames_belong_to_one_place_and_one_salt},
    {"a length beyond the cap is no frame", a_length_beyond_the_cap_is_no_frame},
    {"own bodies go both ways", own_bodies_go_both_ways},
    CU_TEST_INFO_NULL,
};

int main(void)
{
    return check_run("format", tests);
}
