// SPDX-License-Identifier: Apache-2.0
/*
 * internal - what the files of the API share. Nobody else includes this.
 */
#ifndef COLDCHAIN_COLLECTOR_API_INTERNAL_H
#define COLDCHAIN_COLLECTOR_API_INTERNAL_H

#include <netinet/in.h>
#include <pthread.h>
#include <stdbool.h>

#include <jansson.h>
#include <microhttpd.h>

#include "base/buf.h"
#include "collector/access/access.h"
#include "collector/api/api.h"
#include "collector/api/problems.h"
#include "collector/api/query.h"
#include "collector/command/command.h"
#include "collector/store/history.h"
#include "collector/store/state.h"
#include "collector/store/state_incidents.h"
#include "collector/store/state_people.h"

/* Connections of one request to the stores; kept in a pool between requests. */
struct api_stores {
    struct api_stores *next;
    struct state *state;
    struct history_reader *history;
};

struct api_route;

/* One request being answered. */
struct api_call {
    struct api *api;
    const struct api_route *route;
    struct MHD_Connection *connection;
    bool has_begun;  /* its headers are known */
    bool is_odd;     /* its address reads in two ways */
    bool must_close; /* what follows on the connection may not be a request */
    char parts[QUERY_PARTS_MAX][ID_SIZE];
    struct buf body; /* of a POST */
    size_t body_len; /* of all that came */
    struct api_stores *stores;
    struct principal principal; /* who asks */
    struct api_stream *stream;  /* the answer goes on; see stream.c; NULL: it does not */
    json_t *places;             /* zones, once they were asked for; see places.c */
    json_t *devices;            /* seen by whom has some sites only */

    /* the answer */
    unsigned status;
    char etag[24]; /* "": none */
    const char *content_type;
    const char *download_name; /* NULL: shown, not saved */
    struct buf cookie;         /* Set-Cookie; empty: none */
    const char *nonce;         /* of the page's style; NULL: no page */
    char nonce_text[33];
    int64_t retry_ms;     /* Retry-After; 0: none */
    const char *language; /* of a problem; NULL: of nothing in particular */
    struct buf link;      /* of the page that follows, RFC 8288; empty: none */
    struct buf allow;     /* methods that the address takes, when it was another */
    struct buf out;
};

/*
 * One route. ROUTE() takes all of it, so that none is forgotten; a set of roles that is
 * empty does not compile, and what is not declared is denied (access.h).
 */
struct api_route {
    const char *method;
    const char *pattern;
    struct access_need need;
    const char *params; /* what may stand behind '?', each once, joined by spaces */
    void (*handle)(struct api_call *call);
    const char *help;
    const char *verb; /* of a route that changes something; see collector/command */
};

/* A change that is wanted. */
struct api_wish {
    const char *verb;
    const json_t *body;
    const char *reason;           /* may be NULL */
    int64_t if_version;           /* COMMAND_ANY: whatever it is */
    const char *via;              /* see command.h; may be NULL */
    json_t *hidden;               /* people's: kept out of the journal; NULL: none */
    char id[COMMAND_RANDOM_SIZE]; /* see api_draw_id() */
};

/* `roles` itself, or an error of the compiler when it is 0. */
#define API_ROLES(roles) ((roles) + 0 * sizeof(char[(roles) != 0 ? 1 : -1]))
#define ROUTE(method_, pattern_, roles_, scope_, tenant_, params_, handle_, help_) \
    { \
        .method = (method_), .pattern = (pattern_), \
        .need = {.roles = (unsigned)API_ROLES(roles_), \
                 .scope = ACCESS_SCOPE_##scope_, \
                 .tenant = ACCESS_TENANT_##tenant_}, \
        .params = (params_), .handle = (handle_), .help = (help_), \
    }

/* One that changes something by a verb. */
#define ROUTE_VERB(method_, pattern_, roles_, scope_, tenant_, verb_, help_) \
    { \
        .method = (method_), .pattern = (pattern_), \
        .need = {.roles = (unsigned)API_ROLES(roles_), \
                 .scope = ACCESS_SCOPE_##scope_, \
                 .tenant = ACCESS_TENANT_##tenant_}, \
        .params = "", .handle = api_run_verb, .help = (help_), .verb = (verb_), \
    }

/* The whole interface, in plain sight; ends with a NULL method. */
extern const struct api_route api_routes[];

/* The query parameter, NULL when absent. Borrowed for the call. */
const char *api_param(const struct api_call *call, const char *name);
/*
 * Answers with an RFC 9457 problem in the caller's language; behind `problem` come names
 * of places in its text and what stands there, and NULL. Returns false, so that it can be
 * the answer of who reads a question.
 */
bool api_refuse(struct api_call *call, enum problem problem, ...)
    __attribute__((sentinel));
/*
 * Read a parameter, or take what holds without it; false when it is refused, which
 * answers the call.
 */
bool api_read_time(struct api_call *call, const char *name, int64_t fallback,
                   int64_t *ms);
bool api_read_number(struct api_call *call, const char *name, uint64_t least,
                     uint64_t most, uint64_t fallback, uint64_t *number);
/* What became of a command that was not applied; `why` is the pipeline's sentence. */
void api_command_problem(struct api_call *call, enum err err, const char *why);
/* Whether the history answered; false answers the call. */
bool api_history_answers(struct api_call *call, enum err err);
/* Of a text that need not be UTF-8: what is not becomes U+FFFD. */
json_t *api_json_text(const char *text);
/* What a store could not do, as a problem. NOT_FOUND is 404. */
void api_store_problem(struct api_call *call, enum err err);

/* principal.c: finds out who asks. Answers the call itself and returns false when that
 * cannot be found out; nobody is somebody too (anonymous). */
bool api_identify(struct api_call *call, const struct api_route *route);
/*
 * Whether the credential that the call came with still counts, for streams: true renews
 * call->principal, whose sites and grants may have changed. The call holds its stores.
 */
bool api_principal_is_valid(struct api_call *call, int64_t now_ms);

#define API_KEY_BYTES 32
/* Random, and gone with the process. */
const uint8_t *api_secret_key(const struct api *api);

/* Random, in hex; and the hash that is kept of one. */
void api_draw_secret(char secret[PRINCIPAL_CREDENTIAL_SIZE]);
void api_hash(char hash[PRINCIPAL_CREDENTIAL_SIZE], const char *secret);
/* The word that a change under a session carries in X-CSRF-Token. */
void api_csrf_word(char word[PRINCIPAL_CREDENTIAL_SIZE], const char *credential);

#define API_SESSION_COOKIE "coldchain_session"

/* How long a session counts: without being used, and at most. */
struct api_session_bounds {
    int64_t idle_ms;
    int64_t whole_ms;
};
const struct api_session_bounds *api_session_bounds(const struct api *api);
struct login *api_login_of(const struct api *api);
const struct api_options *api_options_of(const struct api *api);

/* peer.c */
/* Of who asks, as text; behind a proxy of ours, as that one says. */
void api_peer_address(const struct api_call *call, char address[INET6_ADDRSTRLEN]);
/* Whether the request came by TLS, to us or to a proxy of ours. */
bool api_is_secure(const struct api_call *call);
/* Of the session: by TLS one that no other host and no plain page can set. */
const char *api_cookie_name(const struct api_call *call);
/* False, answered with 429, when who asks guesses too fast. `account` may be NULL. */
bool api_may_try(struct api_call *call, const char *account);
/* The body as an object of JSON, the caller's to release; NULL, answered, when it is
 * none. */
json_t *api_object(struct api_call *call);
/* A text of that object, NULL when it is none. Borrowed. */
const char *api_text(const json_t *object, const char *key);
void api_dump(struct api_call *call, json_t *root);
void api_put_time(json_t *object, const char *key, int64_t ms);
/* Parameters of a list that is read page by page, by the ids of its entries. */
bool api_read_page(struct api_call *call, uint64_t *limit, const char **after);
/* Takes `list`, whose last entry's id is where the next page begins. */
void api_answer_page(struct api_call *call, const char *name, json_t *list,
                     uint64_t limit, enum err err);

/*
 * places.c: what the caller sees. Of what is somebody else's, and of what does not exist,
 * the answer is the same.
 */
/* False, and the call is answered, when the route's address names what is not seen. */
bool api_checks_tenant(struct api_call *call, const struct api_route *route);
/* The answer to who asks for something that is not there, or not there for him. */
void api_not_found(struct api_call *call);
/* Before rows of a store are filtered, whose callbacks must not ask. Answers on failure.
 */
bool api_load_places(struct api_call *call);
/* NOT_FOUND when there is no such zone; the place is borrowed for the call. */
enum err api_find_place(struct api_call *call, const char *zone,
                        struct access_place *place);
/* Whether a zone of that site is the caller's own. */
bool api_owns_site(struct api_call *call, const char *site);
bool api_sees_zone(struct api_call *call, const char *zone);
/* Whether the caller sees the device now: by its organisation and its placements. */
bool api_sees_device(struct api_call *call, const char *org, const char *device);
/* Something of the zone that lasted [from, to]; to 0: until now. */
bool api_sees_time(struct api_call *call, const char *zone, int64_t from_ms,
                   int64_t to_ms);
bool api_sees_incident(struct api_call *call, const struct incident *incident);
/* See access_windows(). */
size_t api_zone_windows(struct api_call *call, const char *zone,
                        struct access_window asked,
                        struct access_window windows[ACCESS_WINDOWS_MAX]);
/* Whether the caller sees everything, so that nothing need be filtered. */
bool api_sees_all(const struct api_call *call);

/*
 * Answers with the entries of a live list that `keeps` wants, which may take from them
 * what the caller does not see.
 */
typedef bool api_keeps_fn(struct api_call *call, json_t *entry);
void api_list_live(struct api_call *call, enum api_live what, api_keeps_fn *keeps);
bool api_keeps_zone(struct api_call *call, json_t *entry);
bool api_keeps_device(struct api_call *call, json_t *entry);
bool api_keeps_placement(struct api_call *call, json_t *entry);

/* api.c, for request.c */
struct api_stores *api_stores_take(struct api *api, struct err_text *why);
/* Accepts NULL. */
void api_stores_give(struct api *api, struct api_stores *stores);
int64_t api_now_ms(const struct api *api);

/* repeat.c: runs the route's handler, or answers as it was answered under that key. */
#define API_KEY_MAX 255
void api_handle_once(struct api_call *call);
/* NULL: none. 1 to API_KEY_MAX bytes where a handler sees it. Borrowed for the call. */
const char *api_idempotency_key(const struct api_call *call);
struct replay *api_replay_of(const struct api *api);

/* conditional.c: gives a GET's answer its ETag; 304 when who asks has it. */
void api_make_conditional(struct api_call *call);

/* listen.c */
struct listener;
enum err listener_open(struct listener **result, struct api *api,
                       const struct api_options *options, struct err_text *why);
/* Ends requests under way. Accepts NULL. */
void listener_close(struct listener *listener);
int listener_port(const struct listener *listener);
/* See api_reload(). */
void listener_reload(struct listener *listener);
/* The connection's request is complete and is answered now; was answered. */
void listener_serves(struct MHD_Connection *connection);
void listener_has_served(struct MHD_Connection *connection);

/* Held by one stream while it has stores. */
pthread_mutex_t *api_stream_lock(struct api *api);
/* Fills the feed with all there is; false, and answered, when the loop does not. */
bool api_ask_all(struct api_call *call);
/* stream.c: the answer of a call that streams, and its end. */
struct MHD_Response *api_stream_response(struct api_call *call);
void api_stream_finish(struct api_call *call);

/* request.c, for libmicrohttpd */
void *api_on_uri(void *context, const char *uri, struct MHD_Connection *connection);
enum MHD_Result api_on_request(void *context, struct MHD_Connection *connection,
                               const char *url, const char *method, const char *version,
                               const char *upload, size_t *upload_len, void **slot);
void api_on_completed(void *context, struct MHD_Connection *connection, void **slot,
                      enum MHD_RequestTerminationCode why);

/* Asks the loop; TIMEOUT answers the call itself and returns false. */
bool api_ask_live(struct api_call *call, enum api_live what, struct buf *out);
/* The same of one thing of that name. */
bool api_ask_live_of(struct api_call *call, enum api_live what, const char *subject,
                     struct buf *out);
/* OK, or why not; TIMEOUT: it did not say in time. */
enum err api_ask_ready(struct api_call *call, struct err_text *why);
/* Takes `argument`, from the heap, which the loop frees; see api_change_fn. */
enum err api_run_change(struct api_call *call, api_change_fn *change, void *argument);
/* Submits the command and waits until it was applied; *result is a JSON object then. */
enum err api_command(struct api_call *call, const char *id, const struct buf *json,
                     struct buf *result, struct err_text *why);

/* A page without script, of HTML that is safe; `alert` may be NULL. */
void api_page(struct api_call *call, const char *title, const char *body,
              const char *alert);
void api_get_setup(struct api_call *call);
/* ack.c */
void api_get_ack(struct api_call *call);
void api_acknowledge_by_link(struct api_call *call);
/* replies.c */
void api_take_reply(struct api_call *call);
void api_set_up(struct api_call *call);
void api_sign_in(struct api_call *call);
void api_sign_out(struct api_call *call);
void api_get_me(struct api_call *call);
void api_change_own_password(struct api_call *call);
void api_end_own_sessions(struct api_call *call);
void api_get_people(struct api_call *call);
void api_get_tokens(struct api_call *call);
void api_get_grants(struct api_call *call);
/* commands.c */
/* Names the command by the request's Idempotency-Key: the same key of the same person is
 * the same command. */
void api_draw_id(const struct api_call *call, struct api_wish *wish);
/* Makes a command of it and waits for its fate; *result is an object, or NULL, and the
 * caller's. */
enum err api_apply(struct api_call *call, const struct api_wish *wish, json_t **result,
                   struct err_text *why);
/* What became of it; takes `result`. */
void api_answer_applied(struct api_call *call, enum err err, json_t *result,
                        const char *why);
void api_etag(struct api_call *call, int64_t version);
/* Of a route that names its verb. */
void api_run_verb(struct api_call *call);
void api_post_command(struct api_call *call);
void api_get_verbs(struct api_call *call);
void api_get_entity(struct api_call *call);
void api_get_channel(struct api_call *call);
void api_get_entities(struct api_call *call);
void api_get_audit(struct api_call *call);
void api_verify_audit(struct api_call *call);

/* suppressions.c */
void api_get_suppressions(struct api_call *call);
/* zone_rules.c */
void api_get_zone_rules(struct api_call *call);

/* rule_doubts.c */
/* Adds to the answer's warnings what the last 30 days say of the rule that it names. */
void api_doubt_rule(struct api_call *call, json_t *result);

/* rule_numbers.c */
/* Adds "now" to those of the list that name their zone's band: the numbers of it. */
void api_add_rule_numbers(const struct api_call *call, json_t *rules);

/* private.c */
/*
 * Makes the wish ready for api_apply(), of a verb about people: the body is changed and
 * borrowed, wish->hidden is the caller's to release. False answers the call.
 */
bool api_hide(struct api_call *call, struct api_wish *wish, json_t *body);
/* Applies it and answers the call. */
void api_answer_people(struct api_call *call, struct api_wish *wish, json_t *body);

/* upkeep.c */
void api_begin_backup(struct api_call *call);
void api_read_backup(struct api_call *call);
void api_end_backup(struct api_call *call);
void api_take_pack(struct api_call *call);
struct backup *api_backup(const struct api *api);
enum err api_publish(const struct api *api, const char *topic, const void *data,
                     size_t len);

/*
 * stretches.c: from when to when a device, or one channel of it, measured a zone, as far
 * as the caller may see it. Texts are borrowed for the call back.
 */
struct api_stretch {
    const char *org;
    const char *device;
    const char *channel; /* NULL: all but those with a placement of their own */
    int64_t from_ms;
    int64_t to_ms;
    const struct api_apart *apart;
    size_t apart_count;
};

/* A channel with a placement of its own. */
struct api_apart {
    const char *channel;
    int64_t from_ms;
    int64_t to_ms;
};

/* False ends the walk; the call was answered. */
typedef bool api_stretch_fn(struct api_call *call, void *context,
                            const struct api_stretch *stretch);
/*
 * Of one device and channel in the order of time, but that its own placements come last.
 * `channel` NULL: all. False: the call was answered, as for a zone that nothing measures.
 */
bool api_each_stretch(struct api_call *call, const char *zone, struct access_window asked,
                      const char *channel, void *context, api_stretch_fn *stretch);
/* Whether the channel was not measured as part of its device at that time. */
bool api_is_placed_apart(const struct api_stretch *stretch, const char *channel,
                         int64_t time_ms);

void api_get_readings(struct api_call *call);
void api_get_zone_readings(struct api_call *call);
void api_get_series(struct api_call *call);
void api_get_zone_series(struct api_call *call);
void api_get_stream(struct api_call *call);
/* The caller's. */
json_t *api_incident_json(const struct incident *incident);
void api_get_incidents(struct api_call *call);
void api_get_incident(struct api_call *call);
void api_get_quarantine(struct api_call *call);
void api_get_sinks(struct api_call *call);
void api_get_outbox(struct api_call *call);

#endif
