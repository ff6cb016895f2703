// SPDX-License-Identifier: Apache-2.0
#include "telemetry/senml.h"

#include <assert.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "telemetry/cbor_in.h"
#include "telemetry/json_in.h"

#define FIRST_MS (-62135596800000) /* 0001-01-01 */
#define LAST_MS  253402300799999   /* 9999-12-31 */
#define BVER_MAX 1e6

/* X(field, JSON label, CBOR label): RFC 8428 table 1 and table 4. */
#define FIELD_LIST(X) \
    X(BVER, "bver", -1) \
    X(BN, "bn", -2) \
    X(BT, "bt", -3) \
    X(BU, "bu", -4) \
    X(BV, "bv", -5) \
    X(BS, "bs", -6) \
    X(N, "n", 0) \
    X(U, "u", 1) \
    X(V, "v", 2) \
    X(VS, "vs", 3) \
    X(VB, "vb", 4) \
    X(S, "s", 5) \
    X(T, "t", 6) \
    X(UT, "ut", 7) \
    X(VD, "vd", 8)

enum field {
#define X(name, json, cbor) FIELD_##name,
    FIELD_LIST(X)
#undef X
        FIELD_COUNT,
    FIELD_OTHER = FIELD_COUNT,
};

static const char *const field_names[FIELD_COUNT] = {
#define X(name, json, cbor) [FIELD_##name] = json,
    FIELD_LIST(X)
#undef X
};

static_assert(FIELD_COUNT <= 32, "the set of fields seen is 32 bits");

#define BIT(field) (UINT32_C(1) << FIELD_##field)
#define VALUES     (BIT(V) | BIT(VS) | BIT(VB) | BIT(VD))
#define BASES      (BIT(BVER) | BIT(BN) | BIT(BT) | BIT(BU) | BIT(BV) | BIT(BS))

struct name {
    const char *text;
    size_t len;
};

struct reader {
    const struct senml_sink *sink;
    struct err_text *why;
    bool is_json;
    size_t index;

    /* bases in force */
    char base_name[SENML_NAME_SIZE];
    size_t base_name_len;
    char base_unit[SENML_UNIT_SIZE];
    double base_time;
    double base_value;
    double base_sum;
    bool has_base_value;
    bool has_base_sum;
    double version; /* 0 while none was given */

    /* the record being read; tokens by field, valid where `seen` has the bit */
    uint32_t seen;
    struct token tokens[FIELD_COUNT];
    struct name others[SENML_LABELS_MAX];
    size_t other_count;

    /* name and unit of the record handed over last */
    char name[SENML_NAME_SIZE];
    size_t name_len;
    char unit[SENML_UNIT_SIZE];
    bool has_handed_over;
};

static enum err fail(const struct reader *reader, enum err err, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

static enum err fail(const struct reader *reader, enum err err, const char *fmt, ...)
{
    char text[256];
    va_list args;
    va_start(args, fmt);
    vsnprintf(text, sizeof text, fmt, args);
    va_end(args);
    return err_set(reader->why, err, "record %zu: %s", reader->index, text);
}

/* Puts the number of the record in front of what the sink said. */
static enum err blame_record(const struct reader *reader, enum err err)
{
    if (reader->why == NULL)
        return err;
    struct err_text said = *reader->why;
    return fail(reader, err, "%s", said.text);
}

/* Foreign text for a message: short, and printable ASCII only. */
struct shown {
    char text[41];
};

static struct shown show(const char *text, size_t len)
{
    struct shown shown = {""};
    for (size_t i = 0; i < len && i < sizeof shown.text - 1; i++)
        shown.text[i] = text[i] >= ' ' && text[i] <= '~' ? text[i] : '?';
    return shown;
}

static enum field field_of_name(const char *text, size_t len)
{
    if (len == 0 || len > 4)
        return FIELD_OTHER;
    for (size_t i = 0; i < FIELD_COUNT; i++)
        if (field_names[i][0] == text[0] && strlen(field_names[i]) == len &&
            memcmp(field_names[i], text, len) == 0)
            return (enum field)i;
    return FIELD_OTHER;
}

static enum field field_of_number(double number)
{
    static const signed char labels[FIELD_COUNT] = {
#define X(name, json, cbor) [FIELD_##name] = cbor,
        FIELD_LIST(X)
#undef X
    };
    for (size_t i = 0; i < FIELD_COUNT; i++)
        if (labels[i] == number)
            return (enum field)i;
    return FIELD_OTHER;
}

/* ---- one record --------------------------------------------------------------- */

static void begin_record(struct reader *reader)
{
    reader->seen = 0;
    reader->other_count = 0;
}

static bool has_type(const struct reader *reader, enum field field,
                     const struct token *token)
{
    switch (field) {
    case FIELD_BN:
    case FIELD_BU:
    case FIELD_N:
    case FIELD_U:
    case FIELD_VS:
        return token->kind == TOKEN_TEXT;
    case FIELD_VB:
        return token->kind == TOKEN_TRUE || token->kind == TOKEN_FALSE;
    case FIELD_VD:
        return token->kind == (reader->is_json ? TOKEN_TEXT : TOKEN_BYTES);
    case FIELD_BVER:
    case FIELD_BT:
    case FIELD_BV:
    case FIELD_BS:
    case FIELD_V:
    case FIELD_S:
    case FIELD_T:
    case FIELD_UT:
        return token->kind == TOKEN_NUMBER;
    case FIELD_COUNT:
        break;
    }
    return false;
}

static enum err take_field(struct reader *reader, enum field field,
                           const struct token *token)
{
    uint32_t bit = UINT32_C(1) << field;
    if ((reader->seen & bit) != 0)
        return fail(reader, ERR_INVALID, "'%s' stands twice", field_names[field]);
    if (!has_type(reader, field, token))
        return fail(reader, ERR_INVALID, "'%s' has a value of the wrong type",
                    field_names[field]);
    reader->seen |= bit;
    reader->tokens[field] = *token;
    return ERR_OK;
}

static enum err take_other(struct reader *reader, const struct token *name,
                           const struct token *value)
{
    if (name->len > 0 && name->text[name->len - 1] == '_')
        return fail(reader, ERR_UNSUPPORTED, "label '%s' must be understood, and is not",
                    show(name->text, name->len).text);
    for (size_t i = 0; i < reader->other_count; i++)
        if (reader->others[i].len == name->len &&
            memcmp(reader->others[i].text, name->text, name->len) == 0)
            return fail(reader, ERR_INVALID, "'%s' stands twice",
                        show(name->text, name->len).text);
    if (reader->other_count >= SENML_LABELS_MAX)
        return fail(reader, ERR_LIMIT, "more than %d extra labels", SENML_LABELS_MAX);
    reader->others[reader->other_count++] =
        (struct name){.text = name->text, .len = name->len};
    struct senml_label label = {
        .index = reader->index,
        .name = name->text,
        .name_len = name->len,
        .value = *value,
    };
    enum err err = reader->sink->label(reader->sink->context, &label, reader->why);
    return err == ERR_OK ? ERR_OK : blame_record(reader, err);
}

/* ---- base fields -------------------------------------------------------------- */

/* Copies a base; false when it is too long. An empty text ends the base. */
static bool keep_text(char *to, size_t size, size_t *len, const struct token *token)
{
    if (token->len >= size)
        return false;
    memcpy(to, token->text, token->len);
    to[token->len] = '\0';
    *len = token->len;
    return true;
}

static enum err take_version(struct reader *reader)
{
    double version = reader->tokens[FIELD_BVER].number;
    if (version < 1 || version > BVER_MAX || version != floor(version))
        return fail(reader, ERR_INVALID, "'bver' is no version");
    if (version > SENML_VERSION && version != SENML_VERSION_SECONDARY)
        return fail(reader, ERR_UNSUPPORTED, "version %.0f is not known", version);
    if (reader->version != 0 && reader->version != version)
        return fail(reader, ERR_INVALID, "'bver' changes within the pack");
    reader->version = version;
    return ERR_OK;
}

static enum err apply_bases(struct reader *reader)
{
    const struct token *tokens = reader->tokens;
    uint32_t seen = reader->seen;
    size_t len;
    if ((seen & BIT(BVER)) != 0) {
        enum err err = take_version(reader);
        if (err != ERR_OK)
            return err;
    }
    if ((seen & BIT(BN)) != 0 && !keep_text(reader->base_name, sizeof reader->base_name,
                                            &reader->base_name_len, &tokens[FIELD_BN]))
        return fail(reader, ERR_LIMIT, "'bn' is too long");
    if ((seen & BIT(BU)) != 0 &&
        !keep_text(reader->base_unit, sizeof reader->base_unit, &len, &tokens[FIELD_BU]))
        return fail(reader, ERR_INVALID, "'bu' is no unit");
    if ((seen & BIT(BT)) != 0)
        reader->base_time = tokens[FIELD_BT].number;
    if ((seen & BIT(BV)) != 0) {
        reader->base_value = tokens[FIELD_BV].number;
        reader->has_base_value = true;
    }
    if ((seen & BIT(BS)) != 0) {
        reader->base_sum = tokens[FIELD_BS].number;
        reader->has_base_sum = true;
    }
    return ERR_OK;
}

/* ---- resolving ---------------------------------------------------------------- */

static bool is_alnum(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z');
}

/* RFC 8428 section 4.5.1 */
static bool name_is_valid(const char *name, size_t len)
{
    for (size_t i = 0; i < len; i++)
        if (!is_alnum(name[i]) && (name[i] == '\0' || strchr("-:./_", name[i]) == NULL))
            return false;
    return len > 0 && is_alnum(name[0]);
}

static enum err resolve_name(struct reader *reader, struct senml_record *record)
{
    const struct token *n = &reader->tokens[FIELD_N];
    size_t extra = (reader->seen & BIT(N)) != 0 ? n->len : 0;
    size_t base = reader->base_name_len;
    if (base + extra >= SENML_NAME_SIZE)
        return fail(reader, ERR_LIMIT, "the name is too long");
    record->name = reader->name;
    if (reader->has_handed_over && reader->name_len == base + extra &&
        memcmp(reader->name, reader->base_name, base) == 0 &&
        (extra == 0 || memcmp(reader->name + base, n->text, extra) == 0)) {
        record->is_same_name = true;
        return ERR_OK;
    }
    memcpy(reader->name, reader->base_name, base);
    if (extra > 0)
        memcpy(reader->name + base, n->text, extra);
    reader->name_len = base + extra;
    reader->name[reader->name_len] = '\0';
    if (!name_is_valid(reader->name, reader->name_len))
        return fail(reader, ERR_INVALID, "'%s' is no name",
                    show(reader->name, reader->name_len).text);
    return ERR_OK;
}

static enum err resolve_unit(struct reader *reader, struct senml_record *record)
{
    const struct token *u = &reader->tokens[FIELD_U];
    bool has_own = (reader->seen & BIT(U)) != 0;
    const char *unit = has_own ? u->text : reader->base_unit;
    size_t len = has_own ? u->len : strlen(reader->base_unit);
    if (len >= SENML_UNIT_SIZE)
        return fail(reader, ERR_INVALID, "'u' is no unit");
    record->unit = reader->unit;
    record->is_same_unit = reader->has_handed_over && strlen(reader->unit) == len &&
                           memcmp(reader->unit, unit, len) == 0;
    if (!record->is_same_unit) {
        memcpy(reader->unit, unit, len);
        reader->unit[len] = '\0';
    }
    return ERR_OK;
}

static enum err resolve_time(const struct reader *reader, struct senml_record *record)
{
    double base = reader->base_time;
    double time = (reader->seen & BIT(T)) != 0 ? reader->tokens[FIELD_T].number : 0;
    record->time_s = base + time;
    /* a small negative offset to a date must not turn it into "in eight years" */
    if (base >= SENML_ABSOLUTE && record->time_s < SENML_ABSOLUTE)
        return fail(reader, ERR_INVALID, "the time leads out of the dates");
    if ((reader->seen & BIT(UT)) != 0)
        record->update_s = reader->tokens[FIELD_UT].number;
    return ERR_OK;
}

/* Base64url without padding (RFC 4648 section 5). */
static bool is_base64url(const char *text, size_t len)
{
    for (size_t i = 0; i < len; i++)
        if (!is_alnum(text[i]) && text[i] != '-' && text[i] != '_')
            return false;
    return len % 4 != 1;
}

static enum err resolve_text(const struct reader *reader, struct senml_record *record,
                             enum senml_kind kind, const struct token *token)
{
    record->kind = kind;
    record->text = token->text;
    record->text_len = token->len;
    if (kind == SENML_DATA && reader->is_json && !is_base64url(token->text, token->len))
        return fail(reader, ERR_INVALID, "'vd' is not base64url");
    return ERR_OK;
}

static enum err resolve_value(const struct reader *reader, struct senml_record *record)
{
    uint32_t values = reader->seen & VALUES;
    if ((values & (values - 1)) != 0)
        return fail(reader, ERR_INVALID, "more than one value");
    record->value = NAN;
    if (values == BIT(VS))
        return resolve_text(reader, record, SENML_STRING, &reader->tokens[FIELD_VS]);
    if (values == BIT(VD))
        return resolve_text(reader, record, SENML_DATA, &reader->tokens[FIELD_VD]);
    if (values == BIT(VB)) {
        record->kind = SENML_BOOL;
        record->value = reader->tokens[FIELD_VB].kind == TOKEN_TRUE ? 1 : 0;
        return ERR_OK;
    }
    if (values == BIT(V) || reader->has_base_value) {
        record->kind = SENML_NUMBER;
        record->value = values == BIT(V) ? reader->tokens[FIELD_V].number : 0;
        if (reader->has_base_value) /* -0 + 0 would be 0 */
            record->value += reader->base_value;
        if (!isfinite(record->value))
            return fail(reader, ERR_INVALID, "the value is too large");
    }
    return ERR_OK;
}

static enum err resolve_sum(const struct reader *reader, struct senml_record *record)
{
    bool has_own = (reader->seen & BIT(S)) != 0;
    record->has_sum = has_own || reader->has_base_sum;
    if (record->has_sum)
        record->sum = (has_own ? reader->tokens[FIELD_S].number : 0) + reader->base_sum;
    if (!isfinite(record->sum))
        return fail(reader, ERR_INVALID, "the sum is too large");
    if (record->kind == SENML_NONE && !record->has_sum)
        return fail(reader, ERR_INVALID, "there is no value");
    return ERR_OK;
}

static enum err hand_over(struct reader *reader, const struct senml_record *record)
{
    reader->has_handed_over = true;
    enum err err = reader->sink->record(reader->sink->context, record, reader->why);
    return err == ERR_OK ? ERR_OK : blame_record(reader, err);
}

/* A record of base fields and extra labels alone carries no measurement. */
static enum err end_record(struct reader *reader)
{
    struct senml_record record = {.index = reader->index};
    enum err err = (reader->seen & BASES) != 0 ? apply_bases(reader) : ERR_OK;
    if (err == ERR_OK && (reader->seen & ~BASES) != 0) {
        err = resolve_name(reader, &record);
        if (err == ERR_OK)
            err = resolve_unit(reader, &record);
        if (err == ERR_OK)
            err = resolve_time(reader, &record);
        if (err == ERR_OK)
            err = resolve_value(reader, &record);
        if (err == ERR_OK)
            err = resolve_sum(reader, &record);
        if (err == ERR_OK)
            err = hand_over(reader, &record);
    }
    reader->index++;
    return err;
}

/* ---- JSON --------------------------------------------------------------------- */

static enum err json_fault(const struct reader *reader, const struct json_in *in)
{
    return fail(reader, ERR_INVALID, "%s at byte %zu", in->fault,
                (size_t)(in->at - in->start));
}

static enum err read_json_label(struct reader *reader, struct json_in *in)
{
    struct token name;
    struct token value;
    if (!json_in_string(in, &name) || !json_in_want(in, ':', "':' is wanted") ||
        !json_in_value(in, &value))
        return json_fault(reader, in);
    enum field field = field_of_name(name.text, name.len);
    return field == FIELD_OTHER ? take_other(reader, &name, &value)
                                : take_field(reader, field, &value);
}

static enum err read_json_record(struct reader *reader, struct json_in *in)
{
    begin_record(reader);
    json_in_forget(in);
    if (!json_in_want(in, '{', "a record is wanted"))
        return json_fault(reader, in);
    if (json_in_take(in, '}'))
        return end_record(reader);
    do {
        enum err err = read_json_label(reader, in);
        if (err != ERR_OK)
            return err;
    } while (json_in_take(in, ','));
    if (!json_in_want(in, '}', "',' or '}' is wanted"))
        return json_fault(reader, in);
    return end_record(reader);
}

static enum err read_json(struct reader *reader, struct json_in *in)
{
    if (!json_in_want(in, '[', "'[' is wanted"))
        return json_fault(reader, in);
    do {
        enum err err = read_json_record(reader, in);
        if (err != ERR_OK)
            return err;
    } while (json_in_take(in, ','));
    if (!json_in_want(in, ']', "',' or ']' is wanted"))
        return json_fault(reader, in);
    if (!json_in_at_end(in))
        return fail(reader, ERR_INVALID, "something follows the pack");
    return ERR_OK;
}

/* ---- CBOR --------------------------------------------------------------------- */

static enum err cbor_fault(const struct reader *reader, const struct cbor_in *in)
{
    return fail(reader, ERR_INVALID, "%s at byte %zu", in->fault,
                (size_t)(in->at - in->start));
}

static enum err read_cbor_label(struct reader *reader, struct cbor_in *in)
{
    struct token name;
    struct token value;
    if (!cbor_in_key(in, &name) || !cbor_in_value(in, &value))
        return cbor_fault(reader, in);
    if (name.kind == TOKEN_TEXT) {
        /* section 6: taken for an extra label, the value would be lost without a word */
        if (field_of_name(name.text, name.len) != FIELD_OTHER)
            return fail(reader, ERR_INVALID, "'%.*s' is an integer in CBOR",
                        (int)name.len, name.text);
        return take_other(reader, &name, &value);
    }
    enum field field = field_of_number(name.number);
    if (field == FIELD_OTHER)
        return fail(reader, ERR_INVALID, "label %.0f does not exist", name.number);
    return take_field(reader, field, &value);
}

static enum err read_cbor_record(struct reader *reader, struct cbor_in *in)
{
    struct cbor_group labels;
    begin_record(reader);
    if (!cbor_in_map(in, &labels))
        return cbor_fault(reader, in);
    while (cbor_in_more(in, &labels)) {
        enum err err = read_cbor_label(reader, in);
        if (err != ERR_OK)
            return err;
    }
    return in->fault == NULL ? end_record(reader) : cbor_fault(reader, in);
}

static enum err read_cbor(struct reader *reader, struct cbor_in *in)
{
    struct cbor_group records;
    if (!cbor_in_array(in, &records))
        return cbor_fault(reader, in);
    while (cbor_in_more(in, &records)) {
        enum err err = read_cbor_record(reader, in);
        if (err != ERR_OK)
            return err;
    }
    if (in->fault != NULL)
        return cbor_fault(reader, in);
    if (in->at != in->end)
        return fail(reader, ERR_INVALID, "something follows the pack");
    return reader->index > 0 ? ERR_OK : fail(reader, ERR_INVALID, "the pack is empty");
}

enum err senml_read(const struct senml_sink *sink, const void *data, size_t len,
                    struct err_text *why)
{
    struct reader reader = {.sink = sink, .why = why, .is_json = true};
    unsigned char first = len > 0 ? *(const unsigned char *)data : 0;
    if (first >= 0x80 && first <= 0x9f) {
        struct cbor_in in;
        reader.is_json = false;
        cbor_in_init(&in, data, len);
        return read_cbor(&reader, &in);
    }
    struct json_in in;
    json_in_init(&in, data, len);
    enum err err = read_json(&reader, &in);
    json_in_fini(&in);
    return err;
}

bool senml_time(int64_t *time_ms, double time_s, int64_t now_ms)
{
    double ms = rint(time_s * 1000);
    if (time_s < SENML_ABSOLUTE)
        ms += (double)now_ms;
    /* also false for NaN */
    if (!(ms >= (double)FIRST_MS && ms <= (double)LAST_MS))
        return false;
    *time_ms = (int64_t)ms;
    assert(*time_ms >= FIRST_MS && *time_ms <= LAST_MS);
    return true;
}
