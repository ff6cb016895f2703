// SPDX-License-Identifier: Apache-2.0
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/tree.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Every text reads back as itself. */
static void check(const struct tree *node)
{
    if (node->kind == TREE_TEXT) {
        struct buf text = {0};
        struct tree *again;
        struct err_text why;
        buf_text(&text, "- ");
        tree_quote(&text, node->text);
        if (tree_parse(&again, "x", text.data, text.len, &why) != ERR_OK ||
            strcmp(again->items[0].text, node->text) != 0)
            abort();
        tree_destroy(again);
        buf_fini(&text);
    }
    for (size_t i = 0; i < node->count; i++)
        check(&node->items[i]);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct tree *tree;
    struct err_text why = {""};
    if (tree_parse(&tree, "x", (const char *)data, size, &why) != ERR_OK) {
        if (why.text[0] == '\0' || tree != NULL)
            abort();
        return 0;
    }
    if (tree->line < 1)
        abort();
    check(tree);
    tree_destroy(tree);
    return 0;
}
