// SPDX-License-Identifier: Apache-2.0
/*
 * tree - a YAML document whose keys are not known beforehand, with the line of
 * everything.
 *
 * For files that people edit and programs write; settings are read by config.h. Bounded
 * before it is read: bytes, depth and nodes. Anchors, aliases, tags, merge keys and a
 * second document are refused, as is a key that stands twice. Pure; owned by one thread.
 */
#ifndef COLDCHAIN_BASE_TREE_H
#define COLDCHAIN_BASE_TREE_H

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"
#include "base/err.h"

#define TREE_BYTES_MAX (64u << 20)
#define TREE_DEPTH_MAX 16
#define TREE_NODES_MAX 4000000

enum tree_kind {
    TREE_TEXT,
    TREE_LIST,
    TREE_MAP,
};

struct tree {
    enum tree_kind kind;
    bool is_plain; /* TEXT: without quotes, so that it may be a number, true or null */
    int line;      /* from 1 */
    char *key;     /* within a map; NULL elsewhere */
    char *text;    /* TEXT: UTF-8 without NUL */
    struct tree *items; /* LIST, MAP */
    size_t count;
};

/*
 * INVALID or LIMIT, and `why` begins with "NAME:LINE: ". *tree is the root, NULL after a
 * failure.
 */
MUST_CHECK enum err tree_parse(struct tree **tree, const char *name, const char *text,
                               size_t len, struct err_text *why);
/* Accepts NULL. */
void tree_destroy(struct tree *tree);

/* Of a map; NULL when it has no such key. */
const struct tree *tree_get(const struct tree *map, const char *key);

/* Appends the text as a YAML scalar that reads back as that text, on one line. */
void tree_quote(struct buf *out, const char *text);

#endif
