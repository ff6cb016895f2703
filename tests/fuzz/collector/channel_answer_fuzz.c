// SPDX-License-Identifier: Apache-2.0
/* What a service answers: a verdict in bounds, and a sentence that is fit for a line. */
#include "collector/notify/channel.h"

#include <stdlib.h>
#include <string.h>

#include "base/utf8.h"

#define KINDS     (CHANNEL_COMMAND + 1)
#define HEAD      3
#define WAIT_MOST 900000

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool is_true)
{
    if (!is_true)
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < HEAD)
        return 0;
    char expect[] = "OK";
    const struct config_channel config = {.kind = (enum channel_kind)(data[0] % KINDS),
                                          .expect = expect};
    struct channel_answer answer = {.came = (data[0] & 0x80) == 0,
                                    .status = data[1] << 8 | data[2]};
    struct channel_verdict verdict = {0};
    buf_add(&answer.body, data + HEAD, size - HEAD);
    memcpy(answer.said, data + HEAD,
           size - HEAD < sizeof answer.said - 1 ? size - HEAD : sizeof answer.said - 1);
    channel_ops(config.kind)->judge(&config, &answer, &verdict);
    must(verdict.wait_ms >= 0 && verdict.wait_ms <= WAIT_MOST);
    must(strlen(verdict.said) < sizeof verdict.said);
    must(answer.came ? utf8_is_valid(verdict.said, strlen(verdict.said)) : true);
    buf_fini(&answer.body);
    return 0;
}
