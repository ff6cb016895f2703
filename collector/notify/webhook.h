// SPDX-License-Identifier: Apache-2.0
/*
 * webhook - one attempt to post a message, and what its answer means.
 *
 * Headers: Idempotency-Key, the same for every attempt; Coldchain-Attempt, from 1: beyond
 * it, an earlier attempt may have arrived; X-Coldchain-Timestamp, Unix seconds of the
 * attempt; X-Coldchain-Signature, "sha256=" and the hex HMAC-SHA256 of
 * timestamp, ".", body under the channel's secret. Any 2xx is a receipt.
 */
#ifndef COLDCHAIN_COLLECTOR_NOTIFY_WEBHOOK_H
#define COLDCHAIN_COLLECTOR_NOTIFY_WEBHOOK_H

#include <stddef.h>
#include <stdint.h>

#include "collector/config.h"
#include "collector/record.h"
#include "net/http.h"

struct webhook_attempt {
    const char *key;
    const char *body;
    size_t body_len;
    uint32_t attempts; /* made before this one */
    int64_t now_ms;    /* of the house's clock, which a simulation may have virtual */
    int64_t created_ms;
    int64_t stamp_ms; /* real wall time, for receivers that refuse what is old */
};

/* Blocks for at most the channel's timeout. Fills outcome, next attempt and text. */
void webhook_post(const struct config_webhook *webhook, struct http_client *client,
                  const struct webhook_attempt *attempt, struct record_result *result);

/*
 * What an answer means. Pure. status 0: none came. A receiver that understood and
 * refuses (400, 410, 413, 422) is not asked again, nor after WEBHOOK_GIVE_UP_MS.
 */
#define WEBHOOK_GIVE_UP_MS INT64_C(86400000)
void webhook_judge(int status, int64_t retry_after_ms, uint64_t random,
                   const struct webhook_attempt *attempt, struct record_result *result);

#endif
