// SPDX-License-Identifier: Apache-2.0
/*
 * channel - a way to tell people: what a kind can do, and one attempt in three steps.
 *
 *   message (outbox row) --format--> request --send--> answer --judge--> verdict
 *
 * format and judge are pure; send blocks for at most the channel's timeout and belongs to
 * the channel's thread. A channel is made of its settings, which outlive it.
 */
#ifndef COLDCHAIN_COLLECTOR_NOTIFY_CHANNEL_H
#define COLDCHAIN_COLLECTOR_NOTIFY_CHANNEL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"
#include "collector/config_channels.h"
#include "collector/store/state_incidents.h"

#define CHANNEL_HEADERS_MAX 24
#define CHANNEL_SAID_MAX    200

/* How a limit of text is counted. */
enum channel_unit { CHANNEL_BYTES, CHANNEL_UTF16 };

/* What carries a request. */
enum channel_carrier {
    CHANNEL_OVER_HTTP,
    CHANNEL_OVER_SMTP,
    CHANNEL_OVER_MQTT,
    CHANNEL_OVER_COMMAND
};

/*
 * What is told: a row of the outbox, read by channel_message_parse(). Texts are never
 * NULL. Whoever writes rows may name receivers in the body as "to": a list of addresses
 * of the channel's kind (mail addresses, phone numbers, ids of users, of a chat); without
 * it the channel's own `to` is used.
 */
struct channel_message {
    const char *key; /* the same for each attempt */
    const char *event;
    const char *incident;
    bool goes_on;      /* its end is not that of its cause */
    const char *cause; /* the incident that leads; "" with what an older version wrote */
    struct {           /* of that one */
        const char *rule;
        const char *kind;
        const char *zone;
        const char *device;
        const char *quantity;
    } leader;
    const char *rule;
    const char *rule_kind;
    const char *severity;
    const char *org;
    const char *site;
    const char *zone;
    const char *device;
    const char *quantity;
    const char *text_zh;
    const char *text_en;
    const char *onset_local; /* for people: "2026-11-27 05:40 UTC+8" */
    const char *body;        /* the row's JSON, as it is */
    const char *code;  /* what an answer names it by; "": none. See replies/text.h */
    const char *token; /* the same for a button */
    const char *ack;   /* a link that acknowledges, for its receiver alone; "": none */
    bool lists_codes;  /* a digest: its "offers" are {code, token} of each line */
    double value;      /* NaN: none */
    double limit;
    int64_t onset_ms;
    int64_t closed_ms; /* 0: it is open */
    const char *const *to;
    size_t to_count;
    size_t count; /* 1; of a digest how many messages it stands for */
    void *owner;  /* private: what the texts are borrowed from */
};

/* INVALID: not JSON, or no incident's. The caller runs channel_message_fini in any case.
 */
MUST_CHECK enum err channel_message_parse(struct channel_message *message,
                                          const char *body);
void channel_message_fini(struct channel_message *message);

struct channel_attempt {
    uint32_t attempts; /* made before this one */
    int64_t now_ms;    /* of the house's clock, which a simulation may have virtual */
    int64_t created_ms;
    int64_t stamp_ms; /* real wall time, for receivers that refuse what is old */
};

/* Only the fields of its carrier are filled. A zeroed struct is safe to fini. */
struct channel_request {
    const char *method;
    struct buf url; /* HTTP, SMTP: of the server; MQTT: the topic */
    char *headers[CHANNEL_HEADERS_MAX + 1]; /* owned, "Name: value"; NULL at the end */
    size_t header_count;
    struct buf body;
    char *
        *to; /* owned. SMTP: sender, receivers; COMMAND: its arguments; NULL at the end */
    size_t to_count;
};

void channel_request_header(struct channel_request *request, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));
void channel_request_to(struct channel_request *request, const char *address);
void channel_request_fini(struct channel_request *request);

struct channel_answer {
    bool came;              /* something answered; otherwise `said` tells why not */
    int status;             /* HTTP, SMTP; the exit code of a command */
    int64_t retry_after_ms; /* -1: not said */
    struct buf body;
    char said[CHANNEL_SAID_MAX]; /* for people, without secrets */
};

struct channel_verdict {
    enum state_outbox outcome; /* DONE, PENDING: again, DEAD: never again */
    int64_t wait_ms;           /* PENDING: at least so long; 0: as the attempts say */
    bool blocks;               /* the whole channel has to wait, not this message alone */
    char said[CHANNEL_SAID_MAX];
};

struct channel_ops {
    enum channel_kind kind;
    enum channel_carrier carrier;
    bool rings;   /* wakes somebody; settings may say otherwise */
    bool digests; /* people read it: many messages may become one */
    int64_t rate; /* messages a minute, 0: no limit */
    size_t limit; /* of text, in `unit`; 0: none */
    enum channel_unit unit;
    /* INVALID: the settings or the message do not make a request; never tried again. */
    enum err (*format)(const struct config_channel *config,
                       const struct channel_message *message,
                       const struct channel_attempt *attempt,
                       struct channel_request *request, struct err_text *why);
    void (*judge)(const struct config_channel *config,
                  const struct channel_answer *answer, struct channel_verdict *verdict);
};

const struct channel_ops *channel_ops(enum channel_kind kind);

/* Whether it wakes somebody, by its kind and its settings. */
bool channel_rings(const struct config_channel *config);
/* Programs read it, and it wakes nobody. */
bool channel_is_machine(const struct config_channel *config);
/* A command that is given ${event}: an end is what a siren stops at. */
bool channel_knows_ends(const struct config_channel *config);
/* Messages a minute, 0: no limit. */
int64_t channel_rate(const struct config_channel *config);

/*
 * What results say of a channel. Pure, so that whoever decides by it takes it from RESULT
 * records and comes to the same when they are read again.
 */
#define CHANNEL_FAILURES_MAX 3

struct channel_health {
    uint32_t failures; /* results in a row that were none */
    int64_t last_ms;   /* of the last result, 0: none yet */
    int64_t good_ms;   /* of the last good one, 0: none yet */
};

void channel_health_take(struct channel_health *health, enum state_outbox outcome,
                         int64_t now_ms);
/* It failed CHANNEL_FAILURES_MAX times in a row: tell over another one, too. */
bool channel_health_is_down(const struct channel_health *health);

#endif
