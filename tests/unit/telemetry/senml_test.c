// SPDX-License-Identifier: Apache-2.0
#include "telemetry/senml.h"

#include <math.h>

#include <jansson.h>

#include "base/number.h"
#include "tests/support/cases.h"

/* ---- our own cases ------------------------------------------------------------ */

static void put_number(struct buf *out, double value)
{
    char text[NUMBER_SIZE];
    number_format(value, text);
    buf_text(out, text);
}

/* Printable, so that a case can be read. */
static void put_bytes(struct buf *out, const char *text, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        unsigned char c = (unsigned char)text[i];
        if (c < ' ' || c == '\\')
            buf_format(out, "\\x%02x", c);
        else
            buf_u8(out, c);
    }
}

static void put_token(struct buf *out, const struct token *token)
{
    switch (token->kind) {
    case TOKEN_NULL:
        buf_text(out, "null");
        break;
    case TOKEN_FALSE:
        buf_text(out, "false");
        break;
    case TOKEN_TRUE:
        buf_text(out, "true");
        break;
    case TOKEN_NUMBER:
        put_number(out, token->number);
        break;
    case TOKEN_TEXT:
    case TOKEN_BYTES:
        put_bytes(out, token->text, token->len);
        break;
    case TOKEN_NESTED:
        buf_text(out, "(nested)");
        break;
    }
}

static void put_value(struct buf *out, const struct senml_record *record)
{
    switch (record->kind) {
    case SENML_NONE:
        break;
    case SENML_NUMBER:
        buf_text(out, " v=");
        put_number(out, record->value);
        break;
    case SENML_BOOL:
        buf_text(out, record->value == 1 ? " vb=true" : " vb=false");
        break;
    case SENML_STRING:
    case SENML_DATA:
        buf_text(out, record->kind == SENML_STRING ? " vs=" : " vd=");
        put_bytes(out, record->text, record->text_len);
        break;
    }
}

/* "0: air_temperature [Cel] t=... v=2.3"; * marks the same name or unit as before. */
static enum err show_record(void *context, const struct senml_record *record,
                            struct err_text *why)
{
    struct buf *out = context;
    (void)why;
    buf_format(out, "%zu: %s%s [%s]%s t=", record->index, record->name,
               record->is_same_name ? "*" : "", record->unit,
               record->is_same_unit ? "*" : "");
    put_number(out, record->time_s);
    put_value(out, record);
    if (record->has_sum) {
        buf_text(out, " s=");
        put_number(out, record->sum);
    }
    if (record->update_s != 0) {
        buf_text(out, " ut=");
        put_number(out, record->update_s);
    }
    buf_text(out, "\n");
    return ERR_OK;
}

static enum err show_label(void *context, const struct senml_label *label,
                           struct err_text *why)
{
    struct buf *out = context;
    (void)why;
    buf_format(out, "%zu: label ", label->index);
    put_bytes(out, label->name, label->name_len);
    buf_text(out, " = ");
    put_token(out, &label->value);
    buf_text(out, "\n");
    return ERR_OK;
}

static void run_case(const void *input, size_t len, struct buf *got)
{
    struct senml_sink sink = {.context = got, .record = show_record, .label = show_label};
    struct err_text why = {""};
    enum err err = senml_read(&sink, input, len, &why);
    if (err != ERR_OK)
        buf_format(got, "%s: %s\n", err_name(err), why.text);
}

static void our_own_cases(void)
{
    cases_run("senml", 130, run_case);
}

/* ---- the examples of RFC 8428 ------------------------------------------------- */

struct example {
    const json_t *want; /* NULL when there is nothing to compare with */
    size_t at;
    size_t wrong;
    int64_t now_ms;
};

static bool same_number(const json_t *object, const char *name, double value)
{
    const json_t *json = json_object_get(object, name);
    return json != NULL && json_number_value(json) == value;
}

static bool same_value(const json_t *want, const struct senml_record *record)
{
    const json_t *text = json_object_get(want, "vs");
    switch (record->kind) {
    case SENML_NONE:
        return false;
    case SENML_NUMBER:
        return same_number(want, "v", record->value);
    case SENML_BOOL:
        return json_is_true(json_object_get(want, "vb")) == (record->value == 1);
    case SENML_STRING:
    case SENML_DATA:
        return json_string_length(text) == record->text_len &&
               memcmp(json_string_value(text), record->text, record->text_len) == 0;
    }
    return false;
}

static enum err compare_record(void *context, const struct senml_record *record,
                               struct err_text *why)
{
    struct example *example = context;
    (void)why;
    /* the resolved form of example 7 leaves out the record that holds data */
    if (example->want == NULL || record->kind == SENML_DATA)
        return ERR_OK;
    const json_t *want = json_array_get(example->want, example->at++);
    const char *unit = json_string_value(json_object_get(want, "u"));
    const char *name = json_string_value(json_object_get(want, "n"));
    int64_t want_ms =
        (int64_t)llrint(json_number_value(json_object_get(want, "t")) * 1000);
    int64_t time_ms = 0;
    bool same = name != NULL && strcmp(name, record->name) == 0 &&
                strcmp(unit != NULL ? unit : "", record->unit) == 0 &&
                senml_time(&time_ms, record->time_s, example->now_ms) &&
                time_ms == want_ms && same_value(want, record);
    if (!same)
        example->wrong++;
    return ERR_OK;
}

static enum err pass_label(void *context, const struct senml_label *label,
                           struct err_text *why)
{
    (void)context;
    (void)label;
    (void)why;
    return ERR_OK;
}

static void check_example(const char *name, const struct buf *input, const json_t *want)
{
    struct example example = {.want = want};
    struct senml_sink sink = {
        .context = &example, .record = compare_record, .label = pass_label};
    struct err_text why = {""};
    /* relative times: the resolved form was made at the time of its first record */
    example.now_ms =
        1000 * (int64_t)json_number_value(json_object_get(json_array_get(want, 0), "t"));
    enum err err = senml_read(&sink, input->data, input->len, &why);
    if (err != ERR_OK)
        printf("\n  %s\n", why.text);
    CHECK_ROW(name, err == ERR_OK);
    CHECK_ROW(name, example.wrong == 0 && example.at == json_array_size(want));
}

static void one_example(const char *folder, const char *name, const char *resolved)
{
    char path[4096];
    struct buf input = {0};
    snprintf(path, sizeof path, "%s/senml-vectors/%s", folder, name);
    CHECK_ROW(name, cases_read(path, &input));
    json_t *want = NULL;
    if (resolved != NULL) {
        snprintf(path, sizeof path, "%s/senml-vectors/%s", folder, resolved);
        want = json_load_file(path, 0, NULL);
        CHECK_ROW(name, want != NULL);
    }
    check_example(name, &input, want);
    json_decref(want);
    buf_fini(&input);
}

static bool reference_dir(char folder[4096])
{
    char shared[4000];
    if (check_shared_dir(shared, sizeof shared, "reference/senml-vectors/ex1.json") ==
        NULL)
        return false;
    snprintf(folder, 4096, "%s/reference", shared);
    return true;
}

static void the_examples_of_the_rfc(void)
{
    char folder[4096];
    if (!reference_dir(folder))
        return;
    for (int i = 1; i <= 13; i++) {
        char name[32];
        char resolved[40];
        snprintf(name, sizeof name, "ex%d.json", i);
        snprintf(resolved, sizeof resolved, "ex%d.gen.resolved.json", i);
        one_example(folder, name, i == 13 ? NULL : resolved);
    }
    one_example(folder, "ex3.gen.cbor", "ex3.gen.resolved.json");
    one_example(folder, "ex5.gen.cbor", "ex5.gen.resolved.json");
}

/* Example 13 has no resolved form beside it; its four records are plain to see. */
static void example_13_resolved_by_hand(void)
{
    static const char text[] =
        "[{\"bt\":1.320078429e+09,\"bu\":\"/\",\"n\":\"2001:db8::3\","
        "\"v\":0.5},{\"n\":\"2001:db8::3\",\"t\":0.1,\"v\":0}]";
    struct buf got = {0};
    run_case(text, sizeof text - 1, &got);
    CHECK_TEXT(got.data, "0: 2001:db8::3 [/] t=1320078429 v=0.5\n"
                         "1: 2001:db8::3* [/]* t=1320078429.1 v=0\n");
    buf_fini(&got);
}

/* ---- times -------------------------------------------------------------------- */

static void times_become_dates(void)
{
    static const int64_t now = 1753772400123;
    static const struct {
        const char *name;
        double time_s;
        bool want_ok;
        int64_t want_ms;
    } rows[] = {
        {"a date", 1753772400, true, 1753772400000},
        {"with milliseconds", 1753772400.001, true, 1753772400001},
        {"rounded to the ms", 1753772400.0004, true, 1753772400000},
        {"now", 0, true, now},
        {"a minute ago", -60, true, now - 60000},
        {"a moment ahead", 0.25, true, now + 250},
        {"the first date", 268435456, true, 268435456000},
        {"the last that is relative", 268435455.999, true, now + 268435455999},
        {"the end of the year 9999", 253402300799.999, true, 253402300799999},
        {"the year 10000", 253402300800, false, 0},
        {"before the year 1", -1e12, false, 0},
        {"endless", INFINITY, false, 0},
        {"not a number", NAN, false, 0},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        int64_t got = 0;
        CHECK_ROW(rows[i].name, senml_time(&got, rows[i].time_s, now) == rows[i].want_ok);
        CHECK_ROW(rows[i].name, got == rows[i].want_ms);
    }
}

/* ---- the sink ----------------------------------------------------------------- */

static enum err refuse_second(void *context, const struct senml_record *record,
                              struct err_text *why)
{
    (void)context;
    return record->index < 1 ? ERR_OK : err_set(why, ERR_FULL, "enough");
}

static enum err refuse_label(void *context, const struct senml_label *label,
                             struct err_text *why)
{
    (void)context;
    (void)label;
    return err_set(why, ERR_DENIED, "no labels");
}

static void the_sink_can_end_it(void)
{
    static const char records[] = "[{\"n\":\"a\",\"v\":1},{\"n\":\"a\",\"v\":2},{]";
    static const char label[] = "[{\"n\":\"a\",\"v\":1,\"x\":1}]";
    struct senml_sink sink = {.record = refuse_second, .label = refuse_label};
    struct err_text why = {""};
    CHECK(senml_read(&sink, records, sizeof records - 1, &why) == ERR_FULL);
    CHECK_TEXT(why.text, "record 1: enough");
    CHECK(senml_read(&sink, label, sizeof label - 1, &why) == ERR_DENIED);
    CHECK_TEXT(why.text, "record 0: no labels");
    CHECK(senml_read(&sink, records, sizeof records - 1, NULL) == ERR_FULL);
}

/* Every prefix of a pack is refused: what was read in part was never a pack. */
static void no_prefix_is_a_pack(void)
{
    static const char json[] =
        "[{\"bn\":\"a\",\"bt\":-5,\"v\":1.5,\"x\":[{\"y\":\"\\u4e2d\"}]},"
        "{\"vb\":true}]";
    static const char cbor[] = "\x82\xa3\x00\x61"
                               "a\x02\xfb\x40\x02\x66\x66\x66\x66\x66\x66\x06\x38\x3b"
                               "\xa2\x00\x61"
                               "b\x04\xf5";
    struct buf got = {0};
    for (size_t cut = 0; cut < sizeof json - 1; cut++) {
        buf_clear(&got);
        run_case(json, cut, &got);
        CHECK(strstr(got.data, "INVALID") != NULL);
    }
    for (size_t cut = 0; cut < sizeof cbor - 1; cut++) {
        buf_clear(&got);
        run_case(cbor, cut, &got);
        CHECK(strstr(got.data, "INVALID") != NULL);
    }
    buf_clear(&got);
    run_case(cbor, sizeof cbor - 1, &got);
    CHECK_TEXT(got.data, "0: a [] t=-60 v=2.3\n1: b []* t=0 vb=true\n");
    buf_fini(&got);
}

int main(void)
{
    CU_TestInfo tests[] = {
        {"our own cases", our_own_cases},
        {"the examples of the RFC", the_examples_of_the_rfc},
        {"example 13, resolved by hand", example_13_resolved_by_hand},
        {"times become dates", times_become_dates},
        {"the sink can end it", the_sink_can_end_it},
        {"no prefix is a pack", no_prefix_is_a_pack},
        CU_TEST_INFO_NULL,
    };
    return check_run("senml", tests);
}
