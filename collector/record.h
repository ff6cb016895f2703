// SPDX-License-Identifier: Apache-2.0
/*
 * record - what the collector's journal holds: everything a decision depends on.
 *
 * A record's type is the journal's type byte; its body is written and read here. The
 * arrival time of a message is the wall time of its record. Pure; any thread.
 */
#ifndef COLDCHAIN_COLLECTOR_RECORD_H
#define COLDCHAIN_COLLECTOR_RECORD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"
#include "collector/store/state_incidents.h"

/* On disk: numbers are never used again for something else. */
enum record_type {
    RECORD_MESSAGE = 16, /* a message from the broker, as it came */
    RECORD_START = 17,   /* the collector started: JSON */
    RECORD_STOP = 18,    /* it stopped in good order: empty */
    RECORD_TICK = 19,    /* time went on */
    RECORD_CONFIG = 20,  /* places, devices and rules in force from here on: JSON */
    RECORD_COMMAND = 21, /* a person or program wants something changed: JSON */
    RECORD_RESULT = 22,  /* what became of a notification */
    RECORD_SKIPPED = 23, /* a poisonous record that is not to be tried again */
    RECORD_GIVE_UP = 24, /* a gap that is waited for no longer */
    RECORD_ATTEMPT = 25, /* a notification is about to be sent */
    RECORD_BEAT = 26,    /* a message of our own, see pipeline/beat.h */
};

#define RECORD_TOPIC_MAX        1024
#define RECORD_CONTENT_TYPE_MAX 64

/*
 *  byte 0      flags: 1 retained, 2 duplicate flag, bits 4-5 QoS
 *  bytes 1-2   length of the topic, little-endian
 *  byte 3      length of the content type
 *  then        topic, content type, payload up to the end of the record
 */
#define RECORD_MESSAGE_HEAD 4

struct record_message {
    const char *topic; /* borrowed, not NUL-terminated, like the rest */
    size_t topic_len;
    const char *content_type;
    size_t content_type_len;
    const void *payload;
    size_t payload_len;
    int qos;
    bool is_retained;
    bool is_duplicate;
};

/* The head of the message, for an append in pieces. Too long names are cut. */
void record_message_head(struct record_message *message,
                         uint8_t head[RECORD_MESSAGE_HEAD]);
MUST_CHECK enum err record_message_parse(struct record_message *message, const void *data,
                                         size_t len);

/* Sent only once this is synced and applied. */
struct record_attempt {
    uint64_t message; /* id in the outbox */
    int64_t retry_ms; /* wall time of the next one when no result is ever written */
};

void record_attempt_format(const struct record_attempt *attempt, struct buf *out);
MUST_CHECK enum err record_attempt_parse(struct record_attempt *attempt, const void *data,
                                         size_t len);

struct record_result {
    uint64_t message; /* id in the outbox */
    enum state_outbox outcome;
    int64_t next_attempt_ms; /* wall time, when it is still pending */
    char text[200];          /* what the receiver said */
};

void record_result_format(const struct record_result *result, struct buf *out);
MUST_CHECK enum err record_result_parse(struct record_result *result, const void *data,
                                        size_t len);

/* A record that crashed its follower so often that it was passed over. */
struct record_skipped {
    uint64_t position;
    unsigned crashes;
    char who[16]; /* guard_name() */
};

/* Packs [from, to] that a device owes, and that pinned the journal for too long. */
struct record_gap {
    char org[ID_SIZE];
    char device[ID_SIZE];
    uint64_t epoch;
    uint64_t from;
    uint64_t to;
};

void record_gap_format(const struct record_gap *gap, struct buf *out);
MUST_CHECK enum err record_gap_parse(struct record_gap *gap, const void *data,
                                     size_t len);

void record_skipped_format(const struct record_skipped *skipped, struct buf *out);
MUST_CHECK enum err record_skipped_parse(struct record_skipped *skipped, const void *data,
                                         size_t len);
#endif
