// SPDX-License-Identifier: Apache-2.0
#include <math.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "edge-agent/sensors/w1_parse.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void judge(struct w1_answer answer)
{
    bool has_value = answer.quality == QUALITY_GOOD || answer.quality == QUALITY_STARTUP;
    if (has_value != !isnan(answer.value_C))
        abort();
    if (has_value && (answer.value_C < -55 || answer.value_C > 125))
        abort();
    if ((answer.reason[0] == '\0') != (answer.quality == QUALITY_GOOD))
        abort();
}

/* A value is within what the probe can measure, and everything else has a reason. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *text = malloc(size + 1); /* so that one byte read too far is seen */
    if (text == NULL)
        return 0;
    memcpy(text, data, size);
    judge(w1_parse_slave(text, size));
    judge(w1_parse_temperature(text, size));
    free(text);
    return 0;
}
