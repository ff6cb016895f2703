// SPDX-License-Identifier: Apache-2.0
#include "telemetry/pack_labels.h"

#include <assert.h>
#include <inttypes.h>
#include <math.h>
#include <stdbool.h>
#include <string.h>

#include "base/number.h"

#define PREFIX     "cc-"
#define PREFIX_LEN 3
#define WHOLE_MAX  9007199254740992.0 /* 2^53 */

enum label_type {
    LABEL_VERSION,
    LABEL_KIND,
    LABEL_CLOCK,
    LABEL_ID,     /* char[ID_SIZE] */
    LABEL_BOOT,   /* char[PACK_BOOT_ID_SIZE] of 16 hex digits */
    LABEL_HEX,    /* uint64_t as 16 hex digits */
    LABEL_SEQ,    /* uint64_t as decimal text: JSON numbers end at 2^53 */
    LABEL_MS,     /* int64_t as a number */
    LABEL_MS_SET, /* the same, written even when it is 0 */
};

struct label {
    const char *name;
    size_t name_len;
    enum label_type type;
    size_t offset;
};

#define LABEL(name_, type_, offset_) \
    { \
        .name = name_, .name_len = sizeof name_ - 1, .type = type_, .offset = offset_ \
    }

static const struct label labels[] = {
    LABEL("cc-v", LABEL_VERSION, 0),
    LABEL("cc-kind", LABEL_KIND, offsetof(struct pack, kind)),
    LABEL("cc-dev", LABEL_ID, offsetof(struct pack, device)),
    LABEL("cc-epoch", LABEL_HEX, offsetof(struct pack, epoch)),
    LABEL("cc-seq", LABEL_SEQ, offsetof(struct pack, seq)),
    LABEL("cc-prev", LABEL_HEX, offsetof(struct pack, previous_hash)),
    LABEL("cc-clock", LABEL_CLOCK, offsetof(struct pack, clock)),
    LABEL("cc-boot", LABEL_BOOT, offsetof(struct pack, boot_id)),
    LABEL("cc-up", LABEL_MS, offsetof(struct pack, boot_ms)),
    LABEL("cc-at", LABEL_MS_SET, offsetof(struct pack, wall_ms)),
    LABEL("cc-ended", LABEL_HEX, offsetof(struct pack, ended)),
    LABEL("cc-from", LABEL_SEQ, offsetof(struct pack, from)),
    LABEL("cc-to", LABEL_SEQ, offsetof(struct pack, to)),
    LABEL("cc-reason", LABEL_ID, offsetof(struct pack, reason)),
    LABEL("cc-fixed", LABEL_BOOT, offsetof(struct pack, fixed_boot_id)),
    LABEL("cc-offset", LABEL_MS, offsetof(struct pack, offset_ms)),
};

static const char *const kind_names[] = {
#define X(name, text) [PACK_##name] = text,
    PACK_KIND_LIST(X)
#undef X
};

static const char *const clock_names[] = {
#define X(name, text) [PACK_CLOCK_##name] = text,
    PACK_CLOCK_LIST(X)
#undef X
};

const char *pack_kind_name(enum pack_kind kind)
{
    assert((size_t)kind < sizeof kind_names / sizeof kind_names[0]);
    return kind_names[kind];
}

/* ---- writing ------------------------------------------------------------------ */

static void put_text(struct buf *out, const struct label *label, const char *text)
{
    if (text[0] != '\0')
        buf_format(out, "\"%s\":\"%s\",", label->name, text);
}

static void put_u64(struct buf *out, const struct label *label, uint64_t value)
{
    if (value == 0)
        return;
    if (label->type == LABEL_HEX)
        buf_format(out, "\"%s\":\"%016" PRIx64 "\",", label->name, value);
    else
        buf_format(out, "\"%s\":\"%" PRIu64 "\",", label->name, value);
}

static void put_label(struct buf *out, const struct label *label, const struct pack *pack)
{
    const char *field = (const char *)pack + label->offset;
    uint64_t u64;
    int64_t ms;
    switch (label->type) {
    case LABEL_VERSION: /* 1 is what a pack without it has */
        break;
    case LABEL_KIND:
        put_text(out, label, pack->kind == PACK_DATA ? "" : kind_names[pack->kind]);
        break;
    case LABEL_CLOCK:
        put_text(out, label,
                 pack->clock == PACK_CLOCK_UNSET ? "" : clock_names[pack->clock]);
        break;
    case LABEL_ID:
        assert(field[0] == '\0' || id_is_valid(field));
        put_text(out, label, field);
        break;
    case LABEL_BOOT:
        assert(field[0] == '\0' || strspn(field, "0123456789abcdef") == 16);
        put_text(out, label, field);
        break;
    case LABEL_HEX:
    case LABEL_SEQ:
        memcpy(&u64, field, sizeof u64);
        put_u64(out, label, u64);
        break;
    case LABEL_MS:
    case LABEL_MS_SET:
        memcpy(&ms, field, sizeof ms);
        assert(fabs((double)ms) <= WHOLE_MAX);
        if (ms != 0 || label->type == LABEL_MS_SET)
            buf_format(out, "\"%s\":%" PRId64 ",", label->name, ms);
        break;
    }
}

void pack_labels_format(const struct pack *pack, struct buf *out)
{
    for (size_t i = 0; i < sizeof labels / sizeof labels[0]; i++)
        put_label(out, &labels[i], pack);
}

/* ---- reading ------------------------------------------------------------------ */

/* Index of the text in a list of names; -1 when it is not there. */
static int name_index(const char *const *names, size_t count, const struct token *token)
{
    for (size_t i = 0; i < count; i++)
        if (strlen(names[i]) == token->len &&
            memcmp(names[i], token->text, token->len) == 0)
            return (int)i;
    return -1;
}

static bool take_id(char field[ID_SIZE], const struct token *token)
{
    if (token->kind != TOKEN_TEXT || token->len > ID_MAX)
        return false;
    memcpy(field, token->text, token->len);
    field[token->len] = '\0';
    return id_is_valid(field);
}

static bool take_hex(uint64_t *value, const struct token *token)
{
    if (token->kind != TOKEN_TEXT || token->len != 16)
        return false;
    *value = 0;
    for (size_t i = 0; i < 16; i++) {
        char c = token->text[i];
        bool is_digit = c >= '0' && c <= '9';
        if (!is_digit && !(c >= 'a' && c <= 'f'))
            return false;
        *value = *value << 4 | (unsigned)(is_digit ? c - '0' : c - 'a' + 10);
    }
    return true;
}

static bool take_boot(char field[PACK_BOOT_ID_SIZE], const struct token *token)
{
    uint64_t ignored;
    if (!take_hex(&ignored, token))
        return false;
    memcpy(field, token->text, 16);
    field[16] = '\0';
    return true;
}

static bool take_seq(uint64_t *value, const struct token *token)
{
    if (token->kind != TOKEN_TEXT || token->len == 0 || token->len > 20 ||
        (token->text[0] == '0' && token->len > 1))
        return false;
    *value = 0;
    for (size_t i = 0; i < token->len; i++) {
        unsigned digit = (unsigned)(token->text[i] - '0');
        if (digit > 9 || *value > (UINT64_MAX - digit) / 10)
            return false;
        *value = *value * 10 + digit;
    }
    return true;
}

static bool take_ms(int64_t *value, const struct token *token)
{
    if (token->kind != TOKEN_NUMBER || fabs(token->number) > WHOLE_MAX ||
        token->number != rint(token->number))
        return false;
    *value = (int64_t)token->number;
    return true;
}

/* What goes into its field as it is; `offset` gives the field the type of the label. */
static bool take_plain(struct pack *pack, const struct label *label,
                       const struct token *token)
{
    void *field = (char *)pack + label->offset;
    switch (label->type) {
    case LABEL_ID:
        return take_id(field, token);
    case LABEL_BOOT:
        return take_boot(field, token);
    case LABEL_HEX:
        return take_hex(field, token);
    case LABEL_SEQ:
        return take_seq(field, token);
    case LABEL_MS:
    case LABEL_MS_SET:
        return take_ms(field, token);
    case LABEL_VERSION:
    case LABEL_KIND:
    case LABEL_CLOCK:
        break;
    }
    return false;
}

static enum err take_kind(struct pack *pack, const struct token *token,
                          struct err_text *why)
{
    int kind =
        token->kind == TOKEN_TEXT
            ? name_index(kind_names, sizeof kind_names / sizeof kind_names[0], token)
            : -1;
    if (kind < 0)
        return err_set(why, ERR_UNSUPPORTED, "'cc-kind' is not known here");
    pack->kind = (enum pack_kind)kind;
    return ERR_OK;
}

static enum err take_label(struct pack *pack, const struct label *label,
                           const struct token *token, struct err_text *why)
{
    bool is_valid = false;
    if (label->type == LABEL_KIND)
        return take_kind(pack, token, why);
    if (label->type == LABEL_VERSION) {
        is_valid = token->kind == TOKEN_NUMBER && token->number >= 1;
        if (is_valid && token->number > PACK_FORMAT_VERSION)
            return err_set(why, ERR_UNSUPPORTED, "'cc-v' is newer than this program");
    } else if (label->type == LABEL_CLOCK) {
        int clock = token->kind == TOKEN_TEXT
                        ? name_index(clock_names,
                                     sizeof clock_names / sizeof clock_names[0], token)
                        : -1;
        is_valid = clock >= 0;
        pack->clock = is_valid ? (enum pack_clock)clock : PACK_CLOCK_UNSET;
    } else {
        is_valid = take_plain(pack, label, token);
    }
    return is_valid ? ERR_OK
                    : err_set(why, ERR_INVALID, "'%s' has a value that is not allowed",
                              label->name);
}

enum err pack_labels_take(struct pack *pack, const struct senml_label *label,
                          struct err_text *why)
{
    if (label->name_len <= PREFIX_LEN || memcmp(label->name, PREFIX, PREFIX_LEN) != 0)
        return ERR_OK;
    for (size_t i = 0; i < sizeof labels / sizeof labels[0]; i++) {
        if (labels[i].name_len != label->name_len ||
            memcmp(labels[i].name, label->name, label->name_len) != 0)
            continue;
        if (label->index != 0)
            return err_set(why, ERR_INVALID, "'%s' belongs in the first record",
                           labels[i].name);
        return take_label(pack, &labels[i], &label->value, why);
    }
    return ERR_OK; /* of a newer maker; must-understand ones end in '_' */
}
