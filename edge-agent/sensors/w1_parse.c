// SPDX-License-Identifier: Apache-2.0
#include "edge-agent/sensors/w1_parse.h"

#include <math.h>
#include <string.h>

#include "edge-agent/sensors/devfile.h"

#define SCRATCHPAD 9
#define LOWEST_mC  (-55000.0)
#define HIGHEST_mC 125000.0
#define NEAR_C     5.0
#define YOUNG_MS   INT64_C(600000)

/* DS18S20, DS1822, DS18B20, DS1825, DS28EA00. */
static const char *const families[] = {"10-", "22-", "28-", "3b-", "42-"};

bool w1_is_thermometer(const char *id)
{
    bool is_family = false;
    for (size_t i = 0; i < sizeof families / sizeof families[0]; i++)
        is_family = is_family || strncmp(id, families[i], 3) == 0;
    return is_family && strlen(id) == W1_ID_LEN &&
           strspn(id + 3, "0123456789abcdef") == W1_ID_LEN - 3;
}

static struct w1_answer bad(enum quality quality, const char *reason)
{
    return (struct w1_answer){
        .quality = quality, .value_C = (double)NAN, .reason = reason};
}

static struct w1_answer judge_mC(double value_mC)
{
    if (value_mC == 85000)
        return (struct w1_answer){.quality = QUALITY_STARTUP,
                                  .value_C = 85,
                                  .reason = "85 degrees: it lost power before it "
                                            "measured; look at supply and pull-up"};
    /* 127.9375 (0x07ff) and -127: nobody drove the line while it was read. */
    if (value_mC == -127000 || value_mC == 127937)
        return bad(QUALITY_OPEN, "the value of a probe that left the bus");
    if (value_mC < LOWEST_mC || value_mC > HIGHEST_mC)
        return bad(QUALITY_RANGE, "outside -55 to 125 degrees");
    return (struct w1_answer){
        .quality = QUALITY_GOOD, .value_C = value_mC / 1000, .reason = ""};
}

static struct w1_answer judge_number(const char *text, size_t len)
{
    double value_mC;
    if (!devfile_number(&value_mC, text, len) || value_mC != floor(value_mC))
        return bad(QUALITY_FAULT, "not a whole number of milli-degrees");
    return judge_mC(value_mC);
}

struct w1_answer w1_parse_temperature(const char *text, size_t len)
{
    return judge_number(text, len);
}

static int hex_digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* "50 05 4b 46 7f ff 0c 10 1c " at the head of a line. */
static bool read_bytes(uint8_t bytes[SCRATCHPAD], const char *text, size_t len)
{
    if (len < (size_t)3 * SCRATCHPAD)
        return false;
    for (size_t i = 0; i < SCRATCHPAD; i++) {
        int high = hex_digit(text[3 * i]);
        int low = hex_digit(text[3 * i + 1]);
        if (high < 0 || low < 0 || text[3 * i + 2] != ' ')
            return false;
        bytes[i] = (uint8_t)(high << 4 | low);
    }
    return true;
}

/* CRC-8 of 1-Wire: x^8 + x^5 + x^4 + 1, reflected; 0 over data and its CRC. */
static uint8_t crc8(const uint8_t *bytes, size_t len)
{
    uint8_t crc = 0;
    for (size_t i = 0; i < len; i++) {
        crc ^= bytes[i];
        for (int bit = 0; bit < 8; bit++)
            crc = (uint8_t)((crc & 1) != 0 ? crc >> 1 ^ 0x8c : crc >> 1);
    }
    return crc;
}

static bool are_all(const uint8_t bytes[SCRATCHPAD], uint8_t value)
{
    for (size_t i = 0; i < SCRATCHPAD; i++)
        if (bytes[i] != value)
            return false;
    return true;
}

static bool ends_with(const char *line, size_t len, const char *word)
{
    size_t word_len = strlen(word);
    return len >= word_len && memcmp(line + len - word_len, word, word_len) == 0;
}

/* What the first line says of the wire, before anything is believed. */
static struct w1_answer judge_wire(const char *line, size_t len)
{
    uint8_t bytes[SCRATCHPAD];
    bool is_yes = ends_with(line, len, " YES");
    if (!read_bytes(bytes, line, len) || (!is_yes && !ends_with(line, len, " NO")))
        return bad(QUALITY_FAULT, "not the two lines of w1_slave");
    if (are_all(bytes, 0xff))
        return bad(QUALITY_OPEN, "nothing answers: a broken wire, or no such probe");
    /* Nine zeros have a right CRC and read as 0 degrees. */
    if (are_all(bytes, 0))
        return bad(QUALITY_SHORT, "the data line is held low: a short to ground");
    if (!is_yes || crc8(bytes, SCRATCHPAD) != 0)
        return bad(QUALITY_CHECKSUM, "CRC wrong: cable too long, or a weak pull-up");
    return (struct w1_answer){.quality = QUALITY_GOOD, .reason = ""};
}

struct w1_answer w1_parse_slave(const char *text, size_t len)
{
    const char *line_end = memchr(text, '\n', len);
    size_t first_len = line_end != NULL ? (size_t)(line_end - text) : len;
    struct w1_answer answer = judge_wire(text, first_len);
    if (answer.quality != QUALITY_GOOD)
        return answer;
    const char *at = line_end != NULL ? line_end + 1 : text + len;
    const char *end = text + len;
    while (at + 2 <= end && memcmp(at, "t=", 2) != 0)
        at++;
    if (at + 2 > end)
        return bad(QUALITY_FAULT, "no t= in the second line");
    return judge_number(at + 2, (size_t)(end - at) - 2);
}

bool w1_is_plausible_85(double last_C, int64_t last_age_ms)
{
    return last_age_ms >= 0 && last_age_ms <= YOUNG_MS && fabs(last_C - 85) <= NEAR_C;
}
