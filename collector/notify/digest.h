// SPDX-License-Identifier: Apache-2.0
/*
 * digest - many messages that wait for one channel become one that lists them. Pure.
 */
#ifndef COLDCHAIN_COLLECTOR_NOTIFY_DIGEST_H
#define COLDCHAIN_COLLECTOR_NOTIFY_DIGEST_H

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"
#include "collector/config_channels.h"

#define DIGEST_MAX      50 /* messages in one */
#define DIGEST_KEY_SIZE 40

struct digest_row {
    const char *key;
    const char *body;
};

/* Whether both are for the same receivers, so that one message can tell both. */
bool digest_fits(const char *body, const char *other);

/* Whether it comes before those that are not. */
bool digest_is_grave(const char *body);

/*
 * How many of the first of these, the grave ones in front, one message over that channel
 * tells uncut: at least 1, whose text is cut when that alone is too long.
 */
size_t digest_take(const struct config_channel *channel, const struct digest_row *rows,
                   size_t count);

/*
 * The body of a message like any other, with "digest": the keys; its severity is the
 * gravest, which is listed first. `key` is the same for the same rows.
 */
void digest_format(const struct digest_row *rows, size_t count, char key[DIGEST_KEY_SIZE],
                   struct buf *body);

#endif
