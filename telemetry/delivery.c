// SPDX-License-Identifier: Apache-2.0
#include "telemetry/delivery.h"

#include <assert.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "base/crypto.h"
#include "base/mem.h"
#include "telemetry/topic.h"

/* What an ack needs besides ranges: a head, and a skeleton and one range per epoch. */
#define ACK_SKELETON (512 + DELIVERY_EPOCHS_MAX * 192)

/* Two numbers of 20 digits, with what is around them; a seam is no longer. */
#define RANGE_BYTES 48
/* Of what is never cut, by the ranges that are closed: each may have a seam. */
#define CLOSED_BYTES (2 * RANGE_BYTES)

static_assert(ACK_SKELETON < DELIVERY_BYTES_MAX / 2, "most of an ack is for ranges");
static_assert(ACK_SKELETON + DELIVERY_EPOCHS_MAX * DELIVERY_CLOSED_MAX * CLOSED_BYTES <
                  DELIVERY_BYTES_MAX,
              "what is closed always has room");

/* Where a list of ranges stands in an epoch. */
struct range_list {
    const char *name;
    size_t ranges;
    size_t count;
};

static const struct range_list range_lists[] = {
    {"ranges", offsetof(struct ack_epoch, ranges),
     offsetof(struct ack_epoch, range_count)},
    {"rejected", offsetof(struct ack_epoch, rejected),
     offsetof(struct ack_epoch, rejected_count)},
    {"wanted", offsetof(struct ack_epoch, wanted),
     offsetof(struct ack_epoch, wanted_count)},
    {"closed", offsetof(struct ack_epoch, closed),
     offsetof(struct ack_epoch, closed_count)},
};

#define LIST_COUNT  (sizeof range_lists / sizeof range_lists[0])
#define LIST_CLOSED (LIST_COUNT - 1) /* the one that is never cut */

uint64_t delivery_hash(const void *bytes, size_t len)
{
    uint8_t digest[CRYPTO_DIGEST_BYTES];
    crypto_digest(digest, bytes, len);
    uint64_t hash = bytes_u64(digest);
    return hash != 0 ? hash : 1;
}

void ack_fini(struct ack *ack)
{
    free(ack->epochs);
    *ack = (struct ack){0};
}

struct ack_epoch *ack_add_epoch(struct ack *ack, uint64_t epoch)
{
    if (ack->epoch_count >= DELIVERY_EPOCHS_MAX)
        return NULL;
    ack->epochs = mem_realloc(ack->epochs, (ack->epoch_count + 1) * sizeof *ack->epochs);
    struct ack_epoch *added = &ack->epochs[ack->epoch_count++];
    *added = (struct ack_epoch){.epoch = epoch};
    return added;
}

/* ---- what texts may hold ------------------------------------------------------ */

/* Version numbers as packagers write them. */
static bool is_version(const char *text)
{
    static const char allowed[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
                                  "0123456789._+~-";
    return strlen(text) <= ID_MAX && text[strspn(text, allowed)] == '\0';
}

static bool is_name(const char *text, size_t size)
{
    return strlen(text) < size && id_is_valid(text);
}

/* ---- writing ------------------------------------------------------------------ */

void hello_format(const struct hello *hello, struct buf *out)
{
    assert(is_name(hello->nonce, sizeof hello->nonce));
    assert(is_version(hello->version) && hello->epoch_count <= DELIVERY_EPOCHS_MAX);
    buf_format(out,
               "{\"v\":%d,\"nonce\":\"%s\",\"version\":\"%s\",\"backlog\":\"%" PRIu64
               "\",\"epochs\":[",
               DELIVERY_VERSION, hello->nonce, hello->version, hello->backlog);
    for (size_t i = 0; i < hello->epoch_count; i++) {
        const struct hello_epoch *epoch = &hello->epochs[i];
        buf_format(out,
                   "%s{\"epoch\":\"%016" PRIx64 "\",\"first\":\"%" PRIu64
                   "\",\"last\":\"%" PRIu64 "\",\"current\":%s}",
                   i > 0 ? "," : "", epoch->epoch, epoch->first, epoch->last,
                   epoch->is_current ? "true" : "false");
    }
    buf_text(out, "]}");
}

/* Writes ranges while the message is shorter than `end`. */
static void put_ranges(struct buf *out, const char *name, const struct seq_range *ranges,
                       size_t count, size_t end)
{
    if (count == 0 || out->len >= end)
        return;
    buf_format(out, ",\"%s\":[", name);
    for (size_t i = 0; i < count && out->len < end; i++)
        buf_format(out, "%s[\"%" PRIu64 "\",\"%" PRIu64 "\"]", i > 0 ? "," : "",
                   ranges[i].first, ranges[i].last);
    buf_text(out, "]");
}

static void put_seams(struct buf *out, const struct ack_epoch *epoch)
{
    for (size_t i = 0; i < epoch->seam_count; i++)
        buf_format(out, "%s[\"%" PRIu64 "\",\"%016" PRIx64 "\"]",
                   i > 0 ? "," : ",\"seams\":[", epoch->seams[i].seq,
                   epoch->seams[i].hash);
    if (epoch->seam_count > 0)
        buf_text(out, "]");
}

static size_t list_count(const struct ack_epoch *epoch, const struct range_list *list)
{
    size_t count;
    memcpy(&count, (const char *)epoch + list->count, sizeof count);
    assert(count <= DELIVERY_RANGES_MAX);
    return count;
}

static void put_epoch(struct buf *out, const struct ack_epoch *epoch, size_t end)
{
    buf_format(out, "{\"epoch\":\"%016" PRIx64 "\",\"through\":\"%" PRIu64 "\"",
               epoch->epoch, epoch->through);
    if (epoch->hash != 0)
        buf_format(out, ",\"hash\":\"%016" PRIx64 "\"", epoch->hash);
    put_ranges(out, range_lists[LIST_CLOSED].name, epoch->closed, epoch->closed_count,
               SIZE_MAX);
    put_seams(out, epoch);
    for (size_t i = 0; i < LIST_CLOSED; i++) {
        const void *ranges = (const char *)epoch + range_lists[i].ranges;
        put_ranges(out, range_lists[i].name, ranges, list_count(epoch, &range_lists[i]),
                   end);
    }
    buf_text(out, epoch->end_epoch ? ",\"end\":true}" : "}");
}

void ack_format(const struct ack *ack, struct buf *out)
{
    assert(ack->nonce[0] == '\0' || is_name(ack->nonce, sizeof ack->nonce));
    assert(is_name(ack->store, sizeof ack->store));
    size_t begin = out->len;
    size_t end = begin + DELIVERY_BYTES_MAX - ACK_SKELETON;
    for (size_t i = 0; i < ack->epoch_count; i++) {
        assert(ack->epochs[i].closed_count <= DELIVERY_CLOSED_MAX);
        assert(ack->epochs[i].seam_count <= ack->epochs[i].closed_count);
        end -= ack->epochs[i].closed_count * CLOSED_BYTES;
    }
    buf_format(out,
               "{\"v\":%d,\"nonce\":\"%s\",\"store\":\"%s\",\"generation\":\"%" PRIu64
               "\",\"interval\":%" PRId64 ",\"credits\":%" PRIu32
               ",\"backlog_credits\":%" PRIu32 ",\"epochs\":[",
               DELIVERY_VERSION, ack->nonce, ack->store, ack->generation,
               ack->ack_interval_ms, ack->credits, ack->backlog_credits);
    for (size_t i = 0; i < ack->epoch_count; i++) {
        if (i > 0)
            buf_text(out, ",");
        put_epoch(out, &ack->epochs[i], end);
    }
    buf_text(out, "]}");
    assert(out->len - begin <= DELIVERY_BYTES_MAX);
}

/* ---- reading ------------------------------------------------------------------ */

static enum err bad(struct err_text *why, const char *member)
{
    return err_set(why, ERR_INVALID, "'%s' is missing or not what it should be", member);
}

/* Decimal text without leading zeros. */
static bool u64_value(uint64_t *value, const json_t *json)
{
    const char *text = json_string_value(json);
    uint64_t sum = 0;
    if (text == NULL || text[0] == '\0' || (text[0] == '0' && text[1] != '\0'))
        return false;
    for (; *text >= '0' && *text <= '9'; text++) {
        unsigned digit = (unsigned)(*text - '0');
        if (sum > (UINT64_MAX - digit) / 10)
            return false;
        sum = sum * 10 + digit;
    }
    *value = sum;
    return *text == '\0';
}

static bool member_u64(uint64_t *value, const json_t *object, const char *name)
{
    return u64_value(value, json_object_get(object, name));
}

static bool member_epoch(uint64_t *epoch, const json_t *object)
{
    const char *text = json_string_value(json_object_get(object, "epoch"));
    return text != NULL && epoch_parse(epoch, text) == ERR_OK;
}

/* 16 hex digits like an epoch; absent is 0. */
static bool member_hash(uint64_t *hash, const json_t *object)
{
    const json_t *json = json_object_get(object, "hash");
    const char *text = json_string_value(json);
    *hash = 0;
    return json == NULL || (text != NULL && epoch_parse(hash, text) == ERR_OK);
}

/* Copies a text that fits; the caller checks what it says. */
static bool member_text(char *to, size_t size, const json_t *object, const char *name)
{
    const char *text = json_string_value(json_object_get(object, name));
    if (text == NULL || strlen(text) >= size)
        return false;
    memcpy(to, text, strlen(text) + 1);
    return true;
}

/* A member that may be absent, and is false then. */
static bool member_flag(bool *flag, const json_t *object, const char *name)
{
    const json_t *json = json_object_get(object, name);
    *flag = json_is_true(json);
    return json == NULL || json_is_boolean(json);
}

static bool member_integer(int64_t *value, const json_t *object, const char *name,
                           int64_t highest)
{
    const json_t *json = json_object_get(object, name);
    *value = json_integer_value(json);
    return json_is_integer(json) && *value >= 0 && *value <= highest;
}

/* The message as an object of a version that is known here; NULL when it is none. */
static json_t *load(const void *data, size_t len, enum err *err, struct err_text *why)
{
    json_error_t fault;
    int64_t version = 0;
    *err = ERR_OK;
    if (len > DELIVERY_BYTES_MAX) {
        *err = err_set(why, ERR_LIMIT, "%zu bytes are more than %d", len,
                       DELIVERY_BYTES_MAX);
        return NULL;
    }
    json_t *root = json_loadb(data, len, JSON_REJECT_DUPLICATES, &fault);
    if (root == NULL)
        *err = err_set(why, ERR_INVALID, "not JSON: %s", fault.text);
    else if (!json_is_object(root))
        *err = err_set(why, ERR_INVALID, "not an object");
    else if (!member_integer(&version, root, "v", INT64_MAX) || version == 0)
        *err = bad(why, "v");
    else if (version > DELIVERY_VERSION)
        *err = err_set(why, ERR_UNSUPPORTED, "version %" PRId64 " is not known", version);
    if (*err == ERR_OK)
        return root;
    json_decref(root);
    return NULL;
}

/* The array of epochs; NULL, with *err set, when it is none or too long. */
static const json_t *load_epochs(const json_t *root, enum err *err, struct err_text *why)
{
    const json_t *epochs = json_object_get(root, "epochs");
    *err = ERR_OK;
    if (!json_is_array(epochs))
        *err = bad(why, "epochs");
    else if (json_array_size(epochs) > DELIVERY_EPOCHS_MAX)
        *err = err_set(why, ERR_LIMIT, "more than %d epochs", DELIVERY_EPOCHS_MAX);
    return *err == ERR_OK ? epochs : NULL;
}

static enum err read_hello_epoch(struct hello *hello, const json_t *json,
                                 struct err_text *why)
{
    struct hello_epoch epoch = {0};
    if (!member_epoch(&epoch.epoch, json))
        return bad(why, "epoch");
    for (size_t i = 0; i < hello->epoch_count; i++)
        if (hello->epochs[i].epoch == epoch.epoch)
            return err_set(why, ERR_INVALID, "an epoch stands twice");
    if (!member_u64(&epoch.first, json, "first") || epoch.first == 0)
        return bad(why, "first");
    /* first - 1, because last + 1 may not exist */
    if (!member_u64(&epoch.last, json, "last") || epoch.first - 1 > epoch.last)
        return bad(why, "last");
    if (!member_flag(&epoch.is_current, json, "current"))
        return bad(why, "current");
    hello->epochs[hello->epoch_count++] = epoch;
    return ERR_OK;
}

static enum err read_hello(struct hello *hello, const json_t *root, struct err_text *why)
{
    enum err err;
    if (!member_text(hello->nonce, sizeof hello->nonce, root, "nonce") ||
        !id_is_valid(hello->nonce))
        return bad(why, "nonce");
    if (!member_text(hello->version, sizeof hello->version, root, "version") ||
        !is_version(hello->version))
        return bad(why, "version");
    if (!member_u64(&hello->backlog, root, "backlog"))
        return bad(why, "backlog");
    const json_t *epochs = load_epochs(root, &err, why);
    for (size_t i = 0; err == ERR_OK && i < json_array_size(epochs); i++)
        err = read_hello_epoch(hello, json_array_get(epochs, i), why);
    size_t current = 0;
    for (size_t i = 0; i < hello->epoch_count; i++)
        current += hello->epochs[i].is_current;
    if (err == ERR_OK && current > 1)
        err = err_set(why, ERR_INVALID, "more than one epoch is current");
    return err;
}

enum err hello_parse(struct hello *hello, const void *data, size_t len,
                     struct err_text *why)
{
    enum err err;
    *hello = (struct hello){0};
    json_t *root = load(data, len, &err, why);
    if (root == NULL)
        return err;
    err = read_hello(hello, root, why);
    if (err != ERR_OK)
        *hello = (struct hello){0};
    json_decref(root);
    return err;
}

/* An absent list is an empty one. */
static enum err read_ranges(struct ack_epoch *epoch, const struct range_list *list,
                            const json_t *json, struct err_text *why)
{
    size_t count = json_array_size(json);
    struct seq_range ranges[DELIVERY_RANGES_MAX];
    if (json != NULL && !json_is_array(json))
        return bad(why, list->name);
    if (count > DELIVERY_RANGES_MAX)
        return err_set(why, ERR_LIMIT, "more than %d %s", DELIVERY_RANGES_MAX,
                       list->name);
    for (size_t i = 0; i < count; i++) {
        const json_t *pair = json_array_get(json, i);
        if (json_array_size(pair) != 2 ||
            !u64_value(&ranges[i].first, json_array_get(pair, 0)) ||
            !u64_value(&ranges[i].last, json_array_get(pair, 1)) ||
            ranges[i].first == 0 || ranges[i].last < ranges[i].first)
            return bad(why, list->name);
    }
    memcpy((char *)epoch + list->ranges, ranges, count * sizeof *ranges);
    memcpy((char *)epoch + list->count, &count, sizeof count);
    return ERR_OK;
}

static enum err read_seams(struct ack_epoch *epoch, const json_t *json,
                           struct err_text *why)
{
    size_t count = json_array_size(json);
    if (json != NULL && !json_is_array(json))
        return bad(why, "seams");
    if (count > DELIVERY_CLOSED_MAX)
        return err_set(why, ERR_LIMIT, "more than %d seams", DELIVERY_CLOSED_MAX);
    for (size_t i = 0; i < count; i++) {
        struct ack_seam *seam = &epoch->seams[i];
        const json_t *pair = json_array_get(json, i);
        const char *hash = json_string_value(json_array_get(pair, 1));
        if (json_array_size(pair) != 2 ||
            !u64_value(&seam->seq, json_array_get(pair, 0)) || seam->seq == 0 ||
            hash == NULL || epoch_parse(&seam->hash, hash) != ERR_OK)
            return bad(why, "seams");
    }
    epoch->seam_count = count;
    return ERR_OK;
}

static enum err read_ack_epoch(struct ack *ack, const json_t *json, struct err_text *why)
{
    uint64_t name;
    if (!member_epoch(&name, json))
        return bad(why, "epoch");
    for (size_t i = 0; i < ack->epoch_count; i++)
        if (ack->epochs[i].epoch == name)
            return err_set(why, ERR_INVALID, "an epoch stands twice");
    struct ack_epoch *epoch = ack_add_epoch(ack, name);
    assert(epoch != NULL);
    if (!member_u64(&epoch->through, json, "through"))
        return bad(why, "through");
    if (!member_hash(&epoch->hash, json))
        return bad(why, "hash");
    if (!member_flag(&epoch->end_epoch, json, "end"))
        return bad(why, "end");
    enum err err = ERR_OK;
    for (size_t i = 0; err == ERR_OK && i < LIST_COUNT; i++)
        err = read_ranges(epoch, &range_lists[i],
                          json_object_get(json, range_lists[i].name), why);
    if (err == ERR_OK)
        err = read_seams(epoch, json_object_get(json, "seams"), why);
    return err;
}

static enum err read_ack(struct ack *ack, const json_t *root, struct err_text *why)
{
    enum err err;
    int64_t credits;
    if (!member_text(ack->nonce, sizeof ack->nonce, root, "nonce") ||
        (ack->nonce[0] != '\0' && !id_is_valid(ack->nonce)))
        return bad(why, "nonce");
    if (!member_text(ack->store, sizeof ack->store, root, "store") ||
        !id_is_valid(ack->store))
        return bad(why, "store");
    if (!member_u64(&ack->generation, root, "generation"))
        return bad(why, "generation");
    if (!member_integer(&ack->ack_interval_ms, root, "interval", INT32_MAX))
        return bad(why, "interval");
    if (!member_integer(&credits, root, "credits", UINT32_MAX))
        return bad(why, "credits");
    ack->credits = (uint32_t)credits;
    if (json_object_get(root, "backlog_credits") != NULL &&
        !member_integer(&credits, root, "backlog_credits", UINT32_MAX))
        return bad(why, "backlog_credits");
    ack->backlog_credits = (uint32_t)credits;
    const json_t *epochs = load_epochs(root, &err, why);
    for (size_t i = 0; err == ERR_OK && i < json_array_size(epochs); i++)
        err = read_ack_epoch(ack, json_array_get(epochs, i), why);
    return err;
}

enum err ack_parse(struct ack *ack, const void *data, size_t len, struct err_text *why)
{
    enum err err;
    *ack = (struct ack){0};
    json_t *root = load(data, len, &err, why);
    if (root == NULL)
        return err;
    err = read_ack(ack, root, why);
    if (err != ERR_OK)
        ack_fini(ack);
    json_decref(root);
    return err;
}
