// SPDX-License-Identifier: Apache-2.0
/*
 * topic - coldchain/v1/{org}/{device}/{kind}..., the addresses on the broker.
 *
 * Pure; any thread. "zones" is no device name.
 */
#ifndef COLDCHAIN_TELEMETRY_TOPIC_H
#define COLDCHAIN_TELEMETRY_TOPIC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "telemetry/reading.h"

#define TOPIC_MAX 256

#define TOPIC_KIND_LIST(X) \
    X(READINGS, "readings") /* readings/{epoch}/{seq}: 16 hex digits, decimal */ \
    X(STATUS, "status") \
    X(HELLO, "hello") \
    X(ACK, "ack") \
    X(COMMAND, "command") \
    X(CONFIG, "config")

enum topic_kind {
#define X(name, text) TOPIC_##name,
    TOPIC_KIND_LIST(X)
#undef X
};

struct topic {
    char org[ID_SIZE];
    char device[ID_SIZE];
    enum topic_kind kind;
    uint64_t epoch; /* READINGS */
    uint64_t seq;   /* READINGS, from 1 */
};

/*
 * `text` need not end in NUL. INVALID, and the topic zeroed, for anything that is not
 * exactly such a topic: upper-case hex, leading zeros, more levels, wildcards.
 */
MUST_CHECK enum err topic_parse(struct topic *topic, const char *text, size_t len);
/* Whether it is a topic of a later version of the wire: coldchain/v2/... and so on. */
bool topic_is_newer(const char *text, size_t len);
/* Writes the topic, whose parts must be valid; returns `text`. */
const char *topic_format(const struct topic *topic, char text[TOPIC_MAX]);

/* Epochs are written as 16 lower-case hex digits; 0 is no epoch (INVALID). */
MUST_CHECK enum err epoch_parse(uint64_t *epoch, const char *text);
const char *epoch_format(uint64_t epoch, char text[17]);

#endif
