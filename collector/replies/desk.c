// SPDX-License-Identifier: Apache-2.0
#include "collector/replies/desk.h"

#include <jansson.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/crypto.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/utf8.h"
#include "collector/access/access.h"
#include "collector/access/throttle.h"
#include "collector/metrics.h"
#include "collector/store/state_entities.h"
#include "collector/store/state_incidents.h"
#include "collector/store/state_people.h"

#define MINUTE_MS   INT64_C(60000)
#define TOLD_MAX    1000 /* newest messages of a channel that a code may be of */
#define NUMBER_MAX  24
#define NAME_MAX_   100 /* bytes of a channel's name in reasons */
#define MOBILE_LEN  11
#define COUNTRY     "86"
#define NOBODY_MARK "?" /* all whom nobody knows, together */

/* Wrong answers: of a sender who is known or not, and what of them goes into the audit.
 */
static const struct throttle_policy policy = {
    .free = 5, .first_ms = 1000, .most_ms = MINUTE_MS, .forget_ms = 60 * MINUTE_MS};

struct reply_desk {
    /* fixed after create */
    const struct roster *roster;
    uint8_t key[REPLY_KEY_BYTES];
    int64_t valid_ms;
    /* shared, under lock */
    pthread_mutex_t lock;
    struct throttle *throttle;
};

struct reply_desk *reply_desk_create(const struct roster *roster,
                                     const uint8_t key[REPLY_KEY_BYTES], int64_t valid_ms)
{
    struct reply_desk *desk = mem_alloc(sizeof *desk);
    desk->roster = roster;
    memcpy(desk->key, key, REPLY_KEY_BYTES);
    desk->valid_ms = valid_ms;
    pthread_mutex_init(&desk->lock, NULL);
    desk->throttle = throttle_create(&policy);
    return desk;
}

void reply_desk_destroy(struct reply_desk *desk)
{
    if (desk == NULL)
        return;
    throttle_destroy(desk->throttle);
    pthread_mutex_destroy(&desk->lock);
    crypto_wipe(desk->key, sizeof desk->key);
    free(desk);
}

/* ---- who it is -------------------------------------------------------------------- */

/* Digits of a telephone's number with the country's; false: it is none. */
static bool digits_of(char out[NUMBER_MAX], const char *text)
{
    size_t len = 0;
    for (const char *at = text; *at != '\0'; at++) {
        bool is_digit = *at >= '0' && *at <= '9';
        if (!is_digit && strchr("+ -()", *at) == NULL)
            return false;
        if (is_digit && len + 1 == NUMBER_MAX)
            return false;
        if (is_digit)
            out[len++] = *at;
    }
    out[len] = '\0';
    if (strncmp(out, "00", 2) == 0)
        memmove(out, out + 2, len - 1);
    len = strlen(out);
    if (len == MOBILE_LEN && out[0] == '1') { /* as gateways of the mainland say it */
        memmove(out + 2, out, len + 1);
        memcpy(out, COUNTRY, 2);
    }
    return len >= 5;
}

bool reply_is_same_sender(const char *a, const char *b)
{
    char first[NUMBER_MAX];
    char second[NUMBER_MAX];
    if (digits_of(first, a) && digits_of(second, b))
        return (a[0] == '-') == (b[0] == '-') && strcmp(first, second) == 0;
    return a[0] != '\0' && strcmp(a, b) == 0;
}

static bool is_on(const struct config_address *address,
                  const struct config_channel *channel)
{
    return strcmp(address->channel, channel->name) == 0;
}

/* Ids of a chat's users are no telephones. */
static bool is_sender(const struct reply *reply, const char *known)
{
    return reply->channel->kind == CHANNEL_TELEGRAM
               ? strcmp(known, reply->sender) == 0
               : reply_is_same_sender(known, reply->sender);
}

static const struct config_contact *contact_of(const struct reply_desk *desk,
                                               const struct reply *reply)
{
    const struct config_escalation *config = desk->roster->config;
    for (size_t i = 0; i < config->contact_count; i++) {
        const struct config_contact *contact = &config->contacts[i];
        for (size_t k = 0; k < contact->address_count; k++) {
            const struct config_address *address = &contact->addresses[k];
            const char *known = address->sender != NULL ? address->sender : address->to;
            if (is_on(address, reply->channel) && known != NULL &&
                is_sender(reply, known))
                return contact;
        }
    }
    return NULL;
}

/* Where a contact gets that channel's messages; "": where the channel's own go. */
static const char *box_of(const struct reply_desk *desk, const char *contact,
                          const char *channel)
{
    const char *to =
        contact[0] != '\0' ? roster_address(desk->roster, contact, channel, 0) : NULL;
    return to != NULL ? to : "";
}

bool reply_desk_has_chat(const struct reply_desk *desk,
                         const struct config_channel *channel, const char *chat)
{
    const struct config_escalation *config = desk->roster->config;
    for (size_t i = 0; i < channel->to_count; i++)
        if (strcmp(channel->to[i], chat) == 0)
            return true;
    for (size_t i = 0; i < config->contact_count; i++)
        for (size_t k = 0; k < config->contacts[i].address_count; k++) {
            const struct config_address *address = &config->contacts[i].addresses[k];
            if (is_on(address, channel) && address->to != NULL &&
                strcmp(address->to, chat) == 0)
                return true;
        }
    return false;
}

bool reply_desk_has_signed(const struct reply_desk *desk,
                           const struct config_channel *channel, const char *token)
{
    struct reply_token claim;
    return reply_token_parse(&claim, token, desk->key, channel->name, INT64_MAX) !=
           ERR_INVALID;
}

/* ---- which incident --------------------------------------------------------------- */

static bool is_test(const char *incident)
{
    return strncmp(incident, CHANNEL_TEST_START, strlen(CHANNEL_TEST_START)) == 0;
}

struct search {
    const struct reply_desk *desk;
    const struct reply *reply;
    const char *contact;
    const char *code;
    char *incident; /* "" until it is found */
};

static void on_told(void *context, const char *incident, const char *contact)
{
    struct search *search = context;
    const char *channel = search->reply->channel->name;
    const char *box = box_of(search->desk, contact, channel);
    const char *own = box_of(search->desk, search->contact, channel);
    char code[REPLY_CODE_SIZE];
    if (search->incident[0] != '\0' || (box[0] != '\0' && strcmp(box, own) != 0))
        return;
    reply_code(code, search->desk->key, channel, box, incident);
    if (strcmp(code, search->code) == 0)
        snprintf(search->incident, ALERT_ID_SIZE, "%s", incident);
}

static enum reply_fate find_code(const struct reply_desk *desk, struct state *state,
                                 const struct reply *reply, const char *code,
                                 int64_t now_ms, struct reply_claim *claim)
{
    struct search search = {.desk = desk,
                            .reply = reply,
                            .contact = claim->contact,
                            .code = code,
                            .incident = claim->incident};
    enum err err = state_each_sent(state, reply->channel->name, now_ms - desk->valid_ms,
                                   TOLD_MAX, &search, on_told);
    if (err != ERR_OK)
        return REPLY_LATER;
    if (is_test(claim->incident))
        return REPLY_TESTED;
    return claim->incident[0] != '\0' ? REPLY_ACKNOWLEDGED : REPLY_WRONG_CODE;
}

static enum reply_fate find_token(const struct reply_desk *desk,
                                  const struct reply *reply, int64_t now_ms,
                                  struct reply_claim *claim)
{
    struct reply_token token;
    enum err err =
        reply_token_parse(&token, reply->token, desk->key, reply->channel->name, now_ms);
    if (err != ERR_OK)
        return err == ERR_DENIED ? REPLY_EXPIRED : REPLY_WRONG_CODE;
    memcpy(claim->incident, token.incident, sizeof claim->incident);
    return REPLY_ACKNOWLEDGED;
}

static enum reply_fate find_incident(const struct reply_desk *desk, struct state *state,
                                     const struct reply *reply, int64_t now_ms,
                                     struct reply_claim *claim)
{
    struct reply_text said = {.says_yes = true};
    if (reply->text != NULL && !reply_text_parse(&said, reply->text, reply->text_len))
        return REPLY_NOT_UNDERSTOOD;
    if (said.code[0] == '\0' && reply->token != NULL)
        return find_token(desk, reply, now_ms, claim);
    if (said.code[0] == '\0' &&
        (reply->quoted == NULL ||
         !reply_code_find(said.code, reply->quoted, reply->quoted_len)))
        return REPLY_NO_CODE; /* or the message lists several */
    return find_code(desk, state, reply, said.code, now_ms, claim);
}

/* ---- whether he may --------------------------------------------------------------- */

static void on_person(void *context, const struct state_person *person)
{
    struct principal *principal = context;
    enum access_role role;
    if (person->erased_ms != 0 || !access_role_parse(&role, person->role) ||
        ((1u << role) & ACCESS_STAFF) == 0)
        return;
    principal->kind = PRINCIPAL_PERSON;
    principal->role = role;
    snprintf(principal->org, sizeof principal->org, "%.*s", ID_MAX, person->org);
    for (const char *at = person->sites + strspn(person->sites, " "); *at != '\0';
         at += strspn(at, " ")) {
        char site[ID_SIZE];
        size_t len = strcspn(at, " ");
        snprintf(site, sizeof site, "%.*s", (int)len, at);
        if (len < ID_SIZE)
            principal_add_site(principal, site);
        at += len;
    }
}

struct where {
    char org[ID_SIZE];
    char site[ID_SIZE];
};

static void on_zone(void *context, const struct state_entity *entity)
{
    struct where *where = context;
    snprintf(where->org, sizeof where->org, "%.*s", ID_MAX, entity->org);
    snprintf(where->site, sizeof where->site, "%.*s", ID_MAX, entity->parent);
}

/* Trouble of a device that measures no zone is its organisation's. */
static enum err find_where(struct state *state, const char *id, struct incident *incident,
                           struct where *where)
{
    *where = (struct where){.org = ""};
    enum err err = state_get_incident(state, id, incident);
    if (err != ERR_OK)
        return err;
    if (incident->zone[0] != '\0') {
        err = state_find_entity(state, "zone", incident->zone, where, on_zone);
        return err == ERR_NOT_FOUND ? ERR_OK : err;
    }
    json_t *subject = json_loads(incident->snapshot, 0, NULL);
    const char *org = json_string_value(json_object_get(subject, "org"));
    snprintf(where->org, sizeof where->org, "%.*s", ID_MAX, org != NULL ? org : "");
    json_decref(subject);
    return ERR_OK;
}

/* A contact that is nobody who signs in stands for itself: the settings name it. */
static enum reply_fate check_rights(struct state *state,
                                    const struct config_contact *contact,
                                    struct reply_claim *claim)
{
    struct principal principal = {.kind = PRINCIPAL_NOBODY};
    struct incident incident;
    struct where where;
    enum err err = find_where(state, claim->incident, &incident, &where);
    if (err == ERR_OK && contact->person != NULL)
        err = state_get_person(state, contact->person, &principal, on_person);
    const struct access_place place = {
        .org = where.org, .site = where.site, .zone = incident.zone};
    bool may = contact->person == NULL || (principal.kind == PRINCIPAL_PERSON &&
                                           access_owns_place(&principal, &place));
    memcpy(claim->org, principal.org, sizeof claim->org);
    principal_fini(&principal);
    if (err != ERR_OK && err != ERR_NOT_FOUND)
        return REPLY_LATER;
    return err == ERR_OK && may ? REPLY_ACKNOWLEDGED : REPLY_NOT_ALLOWED;
}

/* ---- the whole -------------------------------------------------------------------- */

static int64_t slow_down(struct reply_desk *desk, const char *key, int64_t now_ms)
{
    pthread_mutex_lock(&desk->lock);
    int64_t wait_ms = throttle_try(desk->throttle, key, now_ms);
    pthread_mutex_unlock(&desk->lock);
    return wait_ms;
}

static void forgive(struct reply_desk *desk, const char *key)
{
    pthread_mutex_lock(&desk->lock);
    throttle_pass(desk->throttle, key);
    pthread_mutex_unlock(&desk->lock);
}

static enum reply_fate resolve(struct reply_desk *desk, struct state *state,
                               const struct reply *reply, int64_t now_ms,
                               struct reply_claim *claim)
{
    const struct config_contact *contact = contact_of(desk, reply);
    if (contact == NULL)
        return REPLY_UNKNOWN_SENDER;
    snprintf(claim->contact, sizeof claim->contact, "%.*s", ID_MAX, contact->id);
    snprintf(claim->actor, sizeof claim->actor, "%.*s", ID_MAX,
             contact->person != NULL ? contact->person : contact->id);
    enum reply_fate fate = find_incident(desk, state, reply, now_ms, claim);
    return fate == REPLY_ACKNOWLEDGED ? check_rights(state, contact, claim) : fate;
}

/* Of an attempt at something the audit tells as well: by a command that finds nothing. */
static void refuse(struct reply_desk *desk, const char *channel, int64_t now_ms,
                   struct reply_claim *claim)
{
    char key[REPLY_VIA_SIZE];
    snprintf(key, sizeof key, "%.*s\n" NOBODY_MARK, NAME_MAX_, channel);
    bool is_unknown = claim->fate == REPLY_UNKNOWN_SENDER;
    claim->is_command =
        claim->fate == REPLY_WRONG_CODE || claim->fate == REPLY_NOT_ALLOWED ||
        claim->fate == REPLY_EXPIRED || (is_unknown && slow_down(desk, key, now_ms) == 0);
    snprintf(claim->incident, sizeof claim->incident, REPLY_REFUSED);
    if (is_unknown)
        snprintf(claim->actor, sizeof claim->actor, REPLY_NOBODY);
}

void reply_desk_look(struct reply_desk *desk, struct state *state,
                     const struct reply *reply, int64_t now_ms, struct reply_claim *claim)
{
    const char *channel = reply->channel->name;
    int name_len = (int)utf8_fit(channel, strlen(channel), NAME_MAX_);
    char *key = mem_format("%s\n%s", channel, reply->sender);
    *claim = (struct reply_claim){.fate = REPLY_TOO_MANY};
    if (slow_down(desk, key, now_ms) == 0)
        claim->fate = resolve(desk, state, reply, now_ms, claim);
    snprintf(claim->via, sizeof claim->via, "%.*s/%s", name_len, channel, claim->contact);
    if (claim->fate == REPLY_ACKNOWLEDGED) {
        claim->is_command = true;
        forgive(desk, key);
        snprintf(claim->reason, sizeof claim->reason, "by a reply over %.*s", name_len,
                 channel);
    } else if (claim->fate == REPLY_TESTED) {
        forgive(desk, key);
        metric_add(METRIC_REPLIES_TESTED, 1);
        log_info("a test was answered channel=%s contact=%s", channel, claim->contact);
    } else {
        refuse(desk, channel, now_ms, claim);
        metric_add(METRIC_REPLIES_REFUSED, 1);
        snprintf(claim->reason, sizeof claim->reason, "a reply over %.*s, refused: %s",
                 name_len, channel, reply_fate_name(claim->fate));
    }
    free(key);
}

enum reply_fate reply_desk_fate(struct state *state, const struct reply_claim *claim,
                                enum err err, char who[ID_SIZE])
{
    struct incident incident = {.acknowledged_by = ""};
    who[0] = '\0';
    if (claim->fate != REPLY_ACKNOWLEDGED)
        return claim->fate;
    if (err == ERR_OK) {
        metric_add(METRIC_REPLIES_ACCEPTED, 1);
        snprintf(who, ID_SIZE, "%s", claim->actor);
        return REPLY_ACKNOWLEDGED;
    }
    if (err == ERR_EXISTS)
        err = state_get_incident(state, claim->incident, &incident);
    else if (err != ERR_NOT_FOUND)
        err = ERR_TIMEOUT;
    if (err != ERR_OK) {
        metric_add(METRIC_REPLIES_REFUSED, 1);
        return err == ERR_NOT_FOUND ? REPLY_EXPIRED : REPLY_LATER;
    }
    metric_add(METRIC_REPLIES_LATE, 1);
    snprintf(who, ID_SIZE, "%.*s", ID_MAX, incident.acknowledged_by);
    return strcmp(who, claim->actor) == 0 ? REPLY_YOURS : REPLY_TAKEN;
}

/* A button names an incident: a test has none, and is answered by its code. */
static bool put_offer(const struct reply_desk *desk, const struct config_channel *channel,
                      const char *contact, const char *incident, int64_t now_ms,
                      json_t *root)
{
    struct reply_token token = {.until_s = (now_ms + desk->valid_ms) / 1000};
    char text[REPLY_TOKEN_SIZE];
    char code[REPLY_CODE_SIZE];
    snprintf(token.incident, sizeof token.incident, "%.*s", ALERT_ID_SIZE - 1, incident);
    bool has_token = strlen(incident) < sizeof token.incident &&
                     reply_token_format(text, &token, desk->key, channel->name);
    if (!has_token && !is_test(incident))
        return false;
    reply_code(code, desk->key, channel->name, box_of(desk, contact, channel->name),
               incident);
    json_object_set_new(root, "code", json_string(code));
    if (has_token && channel->replies)
        json_object_set_new(root, "token", json_string(text));
    return true;
}

char *reply_desk_offer(const struct reply_desk *desk,
                       const struct config_channel *channel, const char *contact,
                       const char *incident, int64_t now_ms, char *body)
{
    json_t *root = json_loads(body, 0, NULL);
    bool is_over = json_is_string(json_object_get(root, "closed")) ||
                   json_is_string(json_object_get(root, "withdrawn"));
    if (json_is_object(root) && !is_over &&
        put_offer(desk, channel, contact, incident, now_ms, root)) {
        free(body);
        body = json_dumps(root, JSON_COMPACT | JSON_REAL_PRECISION(17));
    }
    json_decref(root);
    return body;
}
