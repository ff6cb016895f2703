// SPDX-License-Identifier: Apache-2.0
#include "collector/notify/webhook.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "base/crypto.h"

#define BACKOFF_FIRST_MS INT64_C(1000)
#define BACKOFF_LAST_MS  INT64_C(300000)
#define HEADER_SIZE      256

/* Doubling, with half of it random, so that receivers are not hit in step. */
static int64_t backoff_ms(uint32_t attempts, uint64_t random)
{
    int64_t span = BACKOFF_FIRST_MS;
    for (uint32_t i = 0; i < attempts && span < BACKOFF_LAST_MS; i++)
        span *= 2;
    if (span > BACKOFF_LAST_MS)
        span = BACKOFF_LAST_MS;
    return span / 2 + (int64_t)(random % (uint64_t)(span / 2 + 1));
}

static bool is_final_refusal(int status)
{
    return status == 400 || status == 410 || status == 413 || status == 422;
}

void webhook_judge(int status, int64_t retry_after_ms, uint64_t random,
                   const struct webhook_attempt *attempt, struct record_result *result)
{
    if (status >= 200 && status < 300) {
        result->outcome = STATE_OUTBOX_DONE;
        return;
    }
    if (is_final_refusal(status) ||
        attempt->now_ms - attempt->created_ms > WEBHOOK_GIVE_UP_MS) {
        result->outcome = STATE_OUTBOX_DEAD;
        return;
    }
    int64_t wait = backoff_ms(attempt->attempts, random);
    if (retry_after_ms > wait)
        wait = retry_after_ms < BACKOFF_LAST_MS ? retry_after_ms : BACKOFF_LAST_MS;
    result->outcome = STATE_OUTBOX_PENDING;
    result->next_attempt_ms = attempt->now_ms + wait;
}

static void sign(const struct config_webhook *webhook,
                 const struct webhook_attempt *attempt, const char *stamp,
                 char header[HEADER_SIZE])
{
    struct buf signed_text = {0};
    buf_text(&signed_text, stamp);
    buf_text(&signed_text, ".");
    buf_add(&signed_text, attempt->body, attempt->body_len);
    uint8_t mac[CRYPTO_HMAC_BYTES];
    char hex[2 * CRYPTO_HMAC_BYTES + 1];
    crypto_hmac_sha256(mac, webhook->secret, strlen(webhook->secret), signed_text.data,
                       signed_text.len);
    buf_fini(&signed_text);
    snprintf(header, HEADER_SIZE, "X-Coldchain-Signature: sha256=%s",
             crypto_hex(hex, mac, sizeof mac));
}

static int send_once(const struct config_webhook *webhook, struct http_client *client,
                     const struct webhook_attempt *attempt, int64_t *retry_after_ms,
                     struct err_text *said)
{
    char stamp[32];
    char key[HEADER_SIZE];
    char number[HEADER_SIZE];
    char time[HEADER_SIZE];
    char signature[HEADER_SIZE];
    snprintf(stamp, sizeof stamp, "%" PRId64, attempt->stamp_ms / 1000);
    snprintf(key, sizeof key, "Idempotency-Key: %s", attempt->key);
    snprintf(number, sizeof number, "Coldchain-Attempt: %" PRIu32, attempt->attempts + 1);
    snprintf(time, sizeof time, "X-Coldchain-Timestamp: %s", stamp);
    const char *headers[] = {
        "Content-Type: application/json", key, number, time, NULL, NULL};
    if (webhook->secret != NULL) {
        sign(webhook, attempt, stamp, signature);
        headers[4] = signature;
    }
    const struct http_request request = {
        .method = "POST",
        .url = webhook->url,
        .headers = headers,
        .body = attempt->body,
        .body_len = attempt->body_len,
        .timeout_ms = webhook->timeout_ms,
        .ca_file = webhook->ca_file,
    };
    struct http_response response = {0};
    enum err err = http_send(client, &request, &response, said);
    int status = err == ERR_OK ? response.status : 0;
    if (err == ERR_OK)
        err_set(said, ERR_OK, "status %d", status);
    *retry_after_ms = err == ERR_OK ? response.retry_after_ms : -1;
    http_response_fini(&response);
    return status;
}

void webhook_post(const struct config_webhook *webhook, struct http_client *client,
                  const struct webhook_attempt *attempt, struct record_result *result)
{
    assert(attempt->key != NULL && attempt->body != NULL);
    struct err_text said = {0};
    int64_t retry_after_ms;
    int status = send_once(webhook, client, attempt, &retry_after_ms, &said);
    uint64_t random;
    crypto_random(&random, sizeof random);
    webhook_judge(status, retry_after_ms, random, attempt, result);
    snprintf(result->text, sizeof result->text, "%.190s", said.text);
}
