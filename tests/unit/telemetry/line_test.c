// SPDX-License-Identifier: Apache-2.0
#include "telemetry/line.h"

#include <math.h>

#include <jansson.h>

#include "tests/support/check.h"

static void a_line_as_the_store_gets_it(void)
{
    struct buf out = {0};
    struct line_writer line;
    buf_text(&out, "# before\n");
    line_begin(&line, &out, "climate");
    line_tag(&line, "zone", "room-3");
    line_tag(&line, "site", "");
    line_tag(&line, "org", "fengjie");
    line_tag(&line, "probe", NULL);
    line_tag(&line, "device", "gw-1");
    CHECK(line_float(&line, "air_temperature", 2.3));
    CHECK(!line_float(&line, "humidity", NAN));
    CHECK(!line_float(&line, "co2", INFINITY));
    CHECK(!line_float(&line, "o2", -INFINITY));
    line_int(&line, "seq", INT64_MIN);
    line_bool(&line, "late", false);
    line_text(&line, "state", "ok");
    CHECK(line_end(&line, 1753772400000));
    CHECK_TEXT(out.data,
               "# before\n"
               "climate,device=gw-1,org=fengjie,zone=room-3 air_temperature=2.3,"
               "seq=-9223372036854775808i,late=false,state=\"ok\" 1753772400000\n");
    buf_fini(&out);
}

static void a_line_without_fields_is_none(void)
{
    struct buf out = {0};
    struct line_writer line;
    buf_text(&out, "before\n");
    line_begin(&line, &out, "climate");
    line_tag(&line, "zone", "room-3");
    CHECK(!line_float(&line, "air_temperature", NAN));
    CHECK(!line_end(&line, 1));
    CHECK_TEXT(out.data, "before\n");
    buf_fini(&out);
}

static void names_are_made_safe(void)
{
    static const struct {
        const char *name;
        const char *text;
        const char *measurement;
        const char *key;
        const char *value;
    } rows[] = {
        {"plain", "a", "a", "a", "a"},
        {"space, comma, equals", "a b,c=d", "a\\ b\\,c=d", "a\\ b\\,c\\=d",
         "a\\ b\\,c\\=d"},
        {"quotes are plain", "a\"b'", "a\"b'", "a\"b'", "a\"b'"},
        {"a backslash inside", "a\\b", "a\\b", "a\\b", "a\\b"},
        {"a backslash at the end", "a\\", "a_", "a_", "a_"},
        {"two at the end", "a\\\\", "a\\_", "a\\_", "a\\_"},
        {"a backslash alone", "\\", "_", "_", "_"},
        {"line feed", "a\nb", "a_b", "a_b", "a_b"},
        {"carriage return and tab", "a\r\tb", "a__b", "a__b", "a__b"},
        {"delete", "a\x7f", "a_", "a_", "a_"},
        {"Chinese", "冷库", "冷库", "冷库", "冷库"},
        {"broken UTF-8", "a\xff\xe5\x86z", "a___z", "a___z", "a___z"},
        {"a comment", "#a", "x#a", "x#a", "#a"},
        {"reserved", "_a", "x_a", "x_a", "_a"},
        {"the key of times", "time", "time_", "time_", "time"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct buf out = {0};
        struct buf want = {0};
        struct line_writer line;
        line_begin(&line, &out, rows[i].text);
        line_tag(&line, rows[i].text, rows[i].text);
        line_int(&line, rows[i].text, 1);
        CHECK_ROW(rows[i].name, line_end(&line, 0));
        buf_format(&want, "%s,%s=%s %s=1i 0\n", rows[i].measurement, rows[i].key,
                   rows[i].value, rows[i].key);
        CHECK_TEXT(out.data, want.data);
        buf_fini(&out);
        buf_fini(&want);
    }
}

static void text_is_escaped_and_cut(void)
{
    static const struct {
        const char *text;
        const char *want;
    } rows[] = {
        {"", "\"\""},
        {"plain, with = and space", "\"plain, with = and space\""},
        {"say \"hi\"", "\"say \\\"hi\\\"\""},
        {"C:\\", "\"C:\\\\\""},
        {"two\nlines\r\n", "\"two lines  \""},
        {"门开", "\"门开\""},
        {"\xff", "\" \""},
    };
    struct buf out = {0};
    struct line_writer line;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct buf want = {0};
        buf_clear(&out);
        line_begin(&line, &out, "m");
        line_text(&line, "s", rows[i].text);
        CHECK_ROW(rows[i].text, line_end(&line, 7));
        buf_format(&want, "m s=%s 7\n", rows[i].want);
        CHECK_TEXT(out.data, want.data);
        buf_fini(&want);
    }
    /* a character that the limit would cut through is left out whole */
    struct buf text = {0};
    while (text.len < LINE_TEXT_MAX - 2)
        buf_u8(&text, 'x');
    buf_text(&text, "冷库");
    buf_clear(&out);
    line_begin(&line, &out, "m");
    line_text(&line, "s", text.data);
    CHECK(line_end(&line, 7));
    CHECK(out.len == strlen("m s=\"\" 7\n") + LINE_TEXT_MAX - 2);
    buf_fini(&text);
    buf_fini(&out);
}

static void times_take_the_precision(void)
{
    static const struct {
        enum line_precision precision;
        int64_t time_ms;
        enum err want_err;
        int64_t want;
        const char *name;
    } rows[] = {
        {LINE_S, 1753772400999, ERR_OK, 1753772400, "s"},
        {LINE_S, -1, ERR_OK, -1, "s"},
        {LINE_S, -1000, ERR_OK, -1, "s"},
        {LINE_MS, 1753772400999, ERR_OK, 1753772400999, "ms"},
        {LINE_US, 1753772400999, ERR_OK, 1753772400999000, "us"},
        {LINE_NS, 1753772400999, ERR_OK, 1753772400999000000, "ns"},
        {LINE_NS, 9223372036854, ERR_OK, 9223372036854000000, "ns"},
        {LINE_NS, 9223372036855, ERR_LIMIT, 0, "ns"},
        {LINE_NS, -9223372036855, ERR_LIMIT, 0, "ns"},
        {LINE_MS, INT64_MIN, ERR_OK, INT64_MIN, "ms"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        int64_t got = 0;
        CHECK_ROW(rows[i].name, line_timestamp(&got, rows[i].time_ms,
                                               rows[i].precision) == rows[i].want_err);
        CHECK_ROW(rows[i].name, got == rows[i].want);
        CHECK_TEXT(line_precision_name(rows[i].precision), rows[i].name);
    }
}

/* ---- the corpus of influxdata/line-protocol ----------------------------------- */

/*
 * Three of the 115 cases differ on purpose: an empty tag value, an error there, leaves
 * the tag out here; a line feed in text, kept there, becomes a space here; 6632243, there
 * 6.632243e+06, has fewer digits without an exponent.
 */
static bool differs_on_purpose(const json_t *point)
{
    const json_t *tags = json_object_get(point, "tags");
    const json_t *fields = json_object_get(point, "fields");
    for (size_t i = 0; i < json_array_size(tags); i++)
        if (json_string_length(json_object_get(json_array_get(tags, i), "value")) == 0)
            return true;
    for (size_t i = 0; i < json_array_size(fields); i++) {
        const json_t *value = json_object_get(json_array_get(fields, i), "value");
        const char *text = json_string_value(json_object_get(value, "string"));
        double number = json_number_value(json_object_get(value, "float"));
        if ((text != NULL && strchr(text, '\n') != NULL) || number == 6632243)
            return true;
    }
    return false;
}

static void encode_field(struct line_writer *line, const char *key, const json_t *value)
{
    const json_t *json = NULL;
    if ((json = json_object_get(value, "float")) != NULL)
        CHECK_ROW(key, line_float(line, key, json_number_value(json)));
    else if ((json = json_object_get(value, "int")) != NULL)
        line_int(line, key, json_integer_value(json));
    else if ((json = json_object_get(value, "bool")) != NULL)
        line_bool(line, key, json_is_true(json));
    else
        line_text(line, key, json_string_value(json_object_get(value, "string")));
}

static void encode(const json_t *point, struct buf *out)
{
    struct line_writer line;
    const json_t *tags = json_object_get(point, "tags");
    const json_t *fields = json_object_get(point, "fields");
    line_begin(&line, out, json_string_value(json_object_get(point, "name")));
    for (size_t i = 0; i < json_array_size(tags); i++) {
        const json_t *tag = json_array_get(tags, i);
        line_tag(&line, json_string_value(json_object_get(tag, "key")),
                 json_string_value(json_object_get(tag, "value")));
    }
    for (size_t i = 0; i < json_array_size(fields); i++) {
        const json_t *field = json_array_get(fields, i);
        encode_field(&line, json_string_value(json_object_get(field, "key")),
                     json_object_get(field, "value"));
    }
    CHECK(line_end(&line, json_integer_value(json_object_get(point, "time"))));
}

static void compare_with_corpus(json_t *cases)
{
    size_t compared = 0;
    size_t passed_over = 0;
    for (void *at = json_object_iter(cases); at != NULL;
         at = json_object_iter_next(cases, at)) {
        const json_t *item = json_object_iter_value(at);
        const json_t *point = json_object_get(json_object_get(item, "input"), "point");
        const char *want =
            json_string_value(json_object_get(json_object_get(item, "output"), "result"));
        if (differs_on_purpose(point)) {
            passed_over++;
            continue;
        }
        struct buf out = {0};
        encode(point, &out);
        out.data[--out.len] = '\0'; /* "\n" */
        CHECK_TEXT(out.data, want != NULL ? want : "(an error)");
        buf_fini(&out);
        compared++;
    }
    printf("%zu compared, %zu differ on purpose ", compared, passed_over);
    CHECK(compared == 112 && passed_over == 3);
}

static void the_corpus_of_the_reference_encoder(void)
{
    char shared[4000];
    char path[4096];
    static const char name[] = "reference/line-protocol/corpus-encode.json";
    if (check_shared_dir(shared, sizeof shared, name) == NULL)
        return;
    snprintf(path, sizeof path, "%s/%s", shared, name);
    json_t *root = json_load_file(path, 0, NULL);
    CHECK(root != NULL);
    compare_with_corpus(json_object_get(root, "encode"));
    json_decref(root);
}

int main(void)
{
    CU_TestInfo tests[] = {
        {"a line as the store gets it", a_line_as_the_store_gets_it},
        {"a line without fields is none", a_line_without_fields_is_none},
        {"names are made safe", names_are_made_safe},
        {"text is escaped and cut", text_is_escaped_and_cut},
        {"times take the precision", times_take_the_precision},
        {"the corpus of the reference encoder", the_corpus_of_the_reference_encoder},
        CU_TEST_INFO_NULL,
    };
    return check_run("line", tests);
}
