// SPDX-License-Identifier: Apache-2.0
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "telemetry/topic.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* What is accepted has one spelling: it formats to the very bytes it came from. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct topic topic;
    char text[TOPIC_MAX];
    if (topic_parse(&topic, (const char *)data, size) != ERR_OK)
        return 0;
    topic_format(&topic, text);
    if (strlen(text) != size || memcmp(text, data, size) != 0)
        abort();
    return 0;
}
