// SPDX-License-Identifier: Apache-2.0
/*
 * words - the dictionary of coldchainctl: what it says to people, in English and Chinese.
 *
 * One words_NAME.c for each part of the command line, in no order that matters; say.c
 * looks through all of them. The English text is the one that stands in the program;
 * both have the same places in the same order, and no English text stands twice.
 * "quality: open" is the word "open" where it names a quality (say_of).
 * tests/cli/words_test.py holds it complete, tests/unit/coldchainctl/say_test.c sound.
 * Constant: any thread may read it.
 */
#ifndef COLDCHAIN_COLDCHAINCTL_WORDS_H
#define COLDCHAIN_COLDCHAINCTL_WORDS_H

#include <stddef.h>

#include "coldchainctl/say.h"

struct say_entry {
    const char *text[SAY_LANGUAGES];
};

struct words_part {
    const struct say_entry *entries;
    size_t count;
};

/* Behind its entries, in words_NAME.c. */
#define WORDS_PART(name, entries_) \
    const struct words_part words_##name = {entries_, \
                                            sizeof(entries_) / sizeof(entries_)[0]}

#define WORDS_LIST(X) \
    X(usage) \
    X(common) \
    X(watch) \
    X(incidents) \
    X(change) \
    X(stores) \
    X(doctor) \
    X(rules)

#define X(name) extern const struct words_part words_##name;
WORDS_LIST(X)
#undef X

/* All of them; NULL at the end. */
extern const struct words_part *const words_parts[];

#endif
