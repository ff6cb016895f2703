// SPDX-License-Identifier: Apache-2.0
#include "coldchainctl/words.h"

const struct words_part *const words_parts[] = {
#define X(name) &words_##name,
    WORDS_LIST(X)
#undef X
        NULL,
};
