// SPDX-License-Identifier: Apache-2.0
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/crypto.h"
#include "collector/notify/ack_link.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* What is taken is what we would have made. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const uint8_t key[ACK_KEY_BYTES] = {1};
    char made[ACK_TOKEN_MAX];
    struct ack_claim claim;
    char *text = malloc(size + 1);
    if (text == NULL)
        return 0;
    crypto_init();
    if (size > 0)
        memcpy(text, data, size);
    text[size] = '\0';
    if (ack_token_parse(&claim, text, key, 0) == ERR_OK) {
        ack_token_format(made, &claim, key);
        if (strcmp(made, text) != 0)
            abort();
    }
    free(text);
    return 0;
}
