// SPDX-License-Identifier: Apache-2.0
/*
 * attempt - one attempt over a channel, from the outbox row to what is written down.
 *
 * Belongs to the channel's thread; channel_settle() is pure.
 */
#ifndef COLDCHAIN_COLLECTOR_NOTIFY_ATTEMPT_H
#define COLDCHAIN_COLLECTOR_NOTIFY_ATTEMPT_H

#include "collector/notify/channel.h"
#include "collector/record.h"
#include "net/http.h"

/* What was not taken by then is not sent again. */
#define CHANNEL_GIVE_UP_MS INT64_C(86400000)

struct carriers {
    struct http_client *http;
    void *context;
    /*
     * Publishes and waits for the broker's receipt, for at most the timeout. ERR_OK, or a
     * sentence.
     */
    enum err (*publish)(void *context, const char *topic, const void *data, size_t len,
                        int64_t timeout_ms, struct err_text *why);
};

/* Makes the attempt. `key` is the row's; blocks for at most the channel's timeout. */
void channel_try(const struct config_channel *config, const struct carriers *carriers,
                 const char *key, const char *body, const struct channel_attempt *attempt,
                 struct channel_verdict *verdict);
/* A request that is no message of the outbox; only whether it was taken matters. */
void channel_carry(const struct config_channel *config, const struct carriers *carriers,
                   const struct channel_request *request, struct channel_answer *answer);
void channel_answer_fini(struct channel_answer *answer);

/*
 * The result to be written down: when it is tried again, doubling up to five minutes, or
 * when the channel says so; dead after CHANNEL_GIVE_UP_MS.
 */
void channel_settle(const struct channel_verdict *verdict,
                    const struct channel_attempt *attempt, uint64_t random,
                    struct record_result *result);

#endif
