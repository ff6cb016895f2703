// SPDX-License-Identifier: Apache-2.0
#include <stdlib.h>
#include <string.h>

#include "base/config.h"
#include "base/config_value.h"
#include "base/mem.h"

/* One level of the printed map. */
struct page {
    struct buf *to;
    const char *indent; /* what each line begins with, "# " included in templates */
    bool has_help;
};

static void print_settings(const struct page *page, const struct config_schema *schema,
                           const void *settings);

/* "# folder of the journal (a text; default /var/lib/coldchain)" */
static void print_help(const struct page *page, const char *indent,
                       const struct config_key *key)
{
    if (!page->has_help)
        return;
    buf_format(page->to, "%s# %s (", indent, key->help);
    config_value_describe(key, page->to);
    if (key->fallback != NULL)
        buf_format(page->to, "; default %s",
                   key->fallback[0] != '\0' ? key->fallback : "''");
    if (key->is_required)
        buf_text(page->to, "; required");
    buf_text(page->to, ")\n");
    if (key->type == CONFIG_SECRET)
        buf_format(page->to, "%s# also from a file: %s_file\n", indent,
                   strrchr(key->name, '.') != NULL ? strrchr(key->name, '.') + 1
                                                   : key->name);
}

static void print_strings(const struct page *page, const char *indent,
                          const struct config_key *key, const void *settings)
{
    char *const *items = config_pointer(key, settings);
    for (size_t i = 0; i < *config_count(key, settings); i++) {
        buf_format(page->to, "%s  - ", indent);
        config_quote(page->to, items[i]);
        buf_text(page->to, "\n");
    }
}

static void print_pairs(const struct page *page, const char *indent,
                        const struct config_key *key, const void *settings)
{
    const struct config_pair *pairs = config_pointer(key, settings);
    for (size_t i = 0; i < *config_count(key, settings); i++) {
        buf_format(page->to, "%s  ", indent);
        config_quote(page->to, pairs[i].name);
        buf_text(page->to, ": ");
        config_quote(page->to, pairs[i].value);
        buf_text(page->to, "\n");
    }
}

/* The help stands with the first record only. */
static void print_records(const struct page *page, const char *indent,
                          const struct config_key *key, const void *settings)
{
    char *deeper = mem_format("%s    ", indent);
    for (size_t i = 0; i < *config_count(key, settings); i++) {
        struct page inner = {page->to, deeper, page->has_help && i == 0};
        buf_format(page->to, "%s  -\n", indent);
        print_settings(&inner, key->record, config_record(key, settings, i));
    }
    free(deeper);
}

/* What a record would look like, as comments. */
static void print_template(const struct page *page, const char *indent,
                           const struct config_key *key)
{
    if (!page->has_help)
        return;
    char *deeper = mem_format("%s#     ", indent);
    struct page inner = {page->to, deeper, true};
    void *settings = mem_alloc(key->record->size);
    config_fallbacks(key->record, settings);
    buf_format(page->to, "%s#   -\n", indent);
    print_settings(&inner, key->record, settings);
    config_free(key->record, settings);
    free(settings);
    free(deeper);
}

static void print_list(const struct page *page, const char *indent, const char *name,
                       const struct config_key *key, const void *settings)
{
    if (*config_count(key, settings) == 0) {
        buf_format(page->to, "%s%s: %s\n", indent, name,
                   key->type == CONFIG_PAIRS ? "{}" : "[]");
        if (key->type == CONFIG_RECORDS)
            print_template(page, indent, key);
        return;
    }
    buf_format(page->to, "%s%s:\n", indent, name);
    if (key->type == CONFIG_STRINGS)
        print_strings(page, indent, key, settings);
    else if (key->type == CONFIG_PAIRS)
        print_pairs(page, indent, key, settings);
    else
        print_records(page, indent, key, settings);
}

static void print_scalar(const struct page *page, const char *indent, const char *name,
                         const struct config_key *key, const void *settings)
{
    bool is_text = key->type == CONFIG_STRING || key->type == CONFIG_SECRET;
    if (is_text && config_pointer(key, settings) == NULL) {
        buf_format(page->to, "%s# %s:\n", indent, name);
    } else if (key->type == CONFIG_SECRET) {
        buf_format(page->to, "%s# %s: (set, not shown)\n", indent, name);
    } else {
        buf_format(page->to, "%s%s: ", indent, name);
        config_value_format(key, config_field(key, settings), page->to);
        buf_text(page->to, "\n");
    }
}

/* Headings of the sections that `key` is in and the key before was not. Returns its
 * depth. */
static size_t print_sections(const struct page *page, const struct config_schema *schema,
                             const struct config_key *key)
{
    size_t depth = 0;
    const char *before = key > schema->keys ? (key - 1)->name : "";
    for (const char *dot = strchr(key->name, '.'); dot != NULL;
         dot = strchr(dot + 1, '.')) {
        size_t len = (size_t)(dot - key->name) + 1;
        if (strncmp(before, key->name, len) != 0) {
            const char *from = dot;
            while (from > key->name && from[-1] != '.')
                from--;
            buf_format(page->to, "%s%*s%.*s:\n", page->indent, (int)(2 * depth), "",
                       (int)(dot - from), from);
        }
        depth++;
    }
    return depth;
}

static void print_key(const struct page *page, const struct config_schema *schema,
                      const struct config_key *key, const void *settings)
{
    const char *dot = strrchr(key->name, '.');
    const char *name = dot != NULL ? dot + 1 : key->name;
    size_t depth = print_sections(page, schema, key);
    char *indent = mem_format("%s%*s", page->indent, (int)(2 * depth), "");
    print_help(page, indent, key);
    if (config_is_scalar(key))
        print_scalar(page, indent, name, key, settings);
    else
        print_list(page, indent, name, key, settings);
    free(indent);
}

static void print_settings(const struct page *page, const struct config_schema *schema,
                           const void *settings)
{
    for (const struct config_key *key = schema->keys; key->name != NULL; key++)
        print_key(page, schema, key, settings);
}

void config_print(const struct config *config, struct buf *to)
{
    struct page page = {to, "", true};
    print_settings(&page, config->schema, config->settings);
}
