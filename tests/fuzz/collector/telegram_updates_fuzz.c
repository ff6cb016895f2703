// SPDX-License-Identifier: Apache-2.0
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "collector/replies/telegram_wire.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Whatever is read is within its bounds, and can be answered with what Telegram takes. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct telegram_batch batch;
    int status = size > 0 && data[0] == '<' ? 502 : 200;
    telegram_batch_parse(&batch, status, data, size);
    if (batch.wait_ms < 0 || batch.wait_ms > 3600000 ||
        (batch.answer != TELEGRAM_GOOD && batch.count > 0 &&
         batch.answer != TELEGRAM_GARBAGE))
        abort();
    for (size_t i = 0; i < batch.count; i++) {
        const struct telegram_update *update = &batch.updates[i];
        struct buf out = {0};
        if (update->id <= 0 || strlen(update->data) > 64)
            abort();
        telegram_mark_message(update, "who has it", &out);
        telegram_answer_button(update->query, update->text, true, &out);
        telegram_answer_text(update->chat, update->own_message, update->text, &out);
        buf_fini(&out);
    }
    telegram_batch_fini(&batch);
    return 0;
}
