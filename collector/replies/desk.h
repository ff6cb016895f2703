// SPDX-License-Identifier: Apache-2.0
/*
 * desk - who it is that answers a message, what he answers, and whether he may.
 *
 * An answer counts when it comes from a sender that the settings name as a contact of
 * that channel, and names an incident that was told over the channel, by a code or by a
 * button's token. Where the contact is a person, that one must be there and the incident
 * must be his to take. Whoever keeps answering wrongly is slowed down. Any thread; a
 * state of the caller's is read.
 */
#ifndef COLDCHAIN_COLLECTOR_REPLIES_DESK_H
#define COLDCHAIN_COLLECTOR_REPLIES_DESK_H

#include <stdint.h>

#include "base/buf.h"
#include "collector/config_channels.h"
#include "collector/replies/text.h"
#include "collector/replies/words.h"
#include "collector/roster.h"
#include "collector/store/state.h"
#include "telemetry/reading.h"

struct reply_desk;

#define REPLY_VERB "incident.acknowledge"
/* Of a command that is refused, so that the audit tells of the attempt: no incident. */
#define REPLY_REFUSED  "refused"
#define REPLY_NOBODY   "unknown-sender"
#define REPLY_VIA_SIZE 200

struct reply_desk *reply_desk_create(const struct roster *roster,
                                     const uint8_t key[REPLY_KEY_BYTES],
                                     int64_t valid_ms);
/* Accepts NULL. */
void reply_desk_destroy(struct reply_desk *desk);

/* Texts are borrowed. */
struct reply {
    const struct config_channel *channel;
    const char *sender; /* a number, a user's id, an address */
    const char *text;   /* what was written; NULL: a button was pressed */
    size_t text_len;
    const char *token;  /* of the button; NULL: none */
    const char *quoted; /* our message that is answered; NULL: not known */
    size_t quoted_len;
};

struct reply_claim {
    enum reply_fate fate;  /* ACKNOWLEDGED: the command below may be given */
    bool is_command;       /* also of attempts that are refused: see REPLY_REFUSED */
    char contact[ID_SIZE]; /* "": nobody who is known */
    char actor[ID_SIZE];   /* the contact's person, or the contact */
    char org[ID_SIZE];     /* "": all */
    char incident[ALERT_ID_SIZE];
    char via[REPLY_VIA_SIZE]; /* "CHANNEL/CONTACT", for the command */
    char reason[REPLY_VIA_SIZE];
};

void reply_desk_look(struct reply_desk *desk, struct state *state,
                     const struct reply *reply, int64_t now_ms,
                     struct reply_claim *claim);

/*
 * What became of the claim's command, which ended with `err`; *who says who has the
 * incident now. Counts it.
 */
enum reply_fate reply_desk_fate(struct state *state, const struct reply_claim *claim,
                                enum err err, char who[ID_SIZE]);

/*
 * Puts "code", and "token" where there are buttons, into a body that is about to be sent
 * over that channel; the body is taken, the result is the caller's. As it is when nothing
 * can be answered.
 */
char *reply_desk_offer(const struct reply_desk *desk,
                       const struct config_channel *channel, const char *contact,
                       const char *incident, int64_t now_ms, char *body);

/* Whether two texts are the same number of a telephone, or else the same text. */
bool reply_is_same_sender(const char *a, const char *b);
/* Whether messages of the channel go into that chat. */
bool reply_desk_has_chat(const struct reply_desk *desk,
                         const struct config_channel *channel, const char *chat);

/* Whether that button is one of a message that went over the channel. */
bool reply_desk_has_signed(const struct reply_desk *desk,
                           const struct config_channel *channel, const char *token);

#endif
