// SPDX-License-Identifier: Apache-2.0
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/crypto.h"
#include "collector/replies/text.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* What is taken has one of a few forms; a token that is taken is one of ours. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const uint8_t key[REPLY_KEY_BYTES] = {1};
    struct reply_text reply;
    struct reply_text again;
    struct reply_token token;
    char made[REPLY_TOKEN_SIZE];
    char code[REPLY_CODE_SIZE] = "";
    crypto_init();
    const char *text = (const char *)data;
    if (reply_text_parse(&reply, text, size)) {
        if (!reply.says_yes && reply.code[0] == '\0')
            abort();
        /* The code alone says the same. */
        if (reply.code[0] != '\0' && (!reply_text_parse(&again, reply.code, 4) ||
                                      strcmp(again.code, reply.code) != 0))
            abort();
    }
    if (reply_code_find(code, text, size) && strlen(code) != 4)
        abort();
    char *copy = malloc(size + 1);
    if (copy == NULL)
        return 0;
    if (size > 0)
        memcpy(copy, data, size);
    copy[size] = '\0';
    if (reply_token_parse(&token, copy, key, "chat", 0) == ERR_OK &&
        (!reply_token_format(made, &token, key, "chat") || strcmp(made, copy) != 0))
        abort();
    free(copy);
    return 0;
}
