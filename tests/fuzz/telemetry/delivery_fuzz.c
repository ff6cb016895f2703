// SPDX-License-Identifier: Apache-2.0
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "telemetry/delivery.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void fuzz_hello(const uint8_t *data, size_t size)
{
    struct hello hello;
    struct hello again;
    struct buf text = {0};
    struct err_text why = {""};
    if (hello_parse(&hello, data, size, &why) != ERR_OK) {
        if (why.text[0] == '\0' || hello.epoch_count != 0)
            abort();
        return;
    }
    hello_format(&hello, &text);
    if (hello_parse(&again, text.data, text.len, &why) != ERR_OK ||
        again.epoch_count != hello.epoch_count || again.backlog != hello.backlog)
        abort();
    buf_fini(&text);
}

static void fuzz_ack(const uint8_t *data, size_t size)
{
    struct ack ack;
    struct ack again;
    struct buf text = {0};
    struct err_text why = {""};
    if (ack_parse(&ack, data, size, &why) != ERR_OK) {
        if (why.text[0] == '\0' || ack.epochs != NULL)
            abort();
        return;
    }
    ack_format(&ack, &text);
    if (text.len > DELIVERY_BYTES_MAX ||
        ack_parse(&again, text.data, text.len, &why) != ERR_OK ||
        again.epoch_count != ack.epoch_count || again.generation != ack.generation)
        abort();
    for (size_t i = 0; i < ack.epoch_count; i++)
        if (again.epochs[i].through != ack.epochs[i].through ||
            again.epochs[i].end_epoch != ack.epochs[i].end_epoch)
            abort();
    ack_fini(&ack);
    ack_fini(&again);
    buf_fini(&text);
}

/* What is accepted survives being written and read again. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    fuzz_hello(data, size);
    fuzz_ack(data, size);
    return 0;
}
