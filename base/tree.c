// SPDX-License-Identifier: Apache-2.0
#include "base/tree.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include <yaml.h>

#include "base/log.h"
#include "base/mem.h"
#include "base/utf8.h"

struct reader {
    yaml_parser_t parser;
    const char *name;
    const char *text;
    size_t len;
    size_t nodes;
    struct err_text *why;
};

static int line_of(const yaml_event_t *event)
{
    return (int)event->start_mark.line + 1;
}

static enum err refuse(const struct reader *reader, int line, const char *what)
{
    return err_set(reader->why, ERR_INVALID, "%s:%d: %s", reader->name, line, what);
}

/* Errors of encoding come without a line, but with the offset. */
static enum err refuse_yaml(const struct reader *reader)
{
    const yaml_parser_t *parser = &reader->parser;
    int line = (int)parser->problem_mark.line + 1;
    if (parser->error == YAML_READER_ERROR) {
        line = 1;
        for (size_t i = 0; i < parser->problem_offset && i < reader->len; i++)
            line += reader->text[i] == '\n';
        return err_set(reader->why, ERR_INVALID,
                       "%s:%d: not UTF-8 text (%s); save the file as UTF-8, or: iconv -f "
                       "GB18030 -t UTF-8",
                       reader->name, line, parser->problem);
    }
    return err_set(
        reader->why, ERR_INVALID,
        "%s:%d: not valid YAML: %s; look at indentation (spaces, no tabs) and quotes",
        reader->name, line, parser->problem != NULL ? parser->problem : "cannot be read");
}

static enum err next(struct reader *reader, yaml_event_t *event)
{
    return yaml_parser_parse(&reader->parser, event) ? ERR_OK : refuse_yaml(reader);
}

static bool has_extras(const yaml_event_t *event)
{
    switch (event->type) {
    case YAML_SCALAR_EVENT:
        return event->data.scalar.anchor != NULL || event->data.scalar.tag != NULL;
    case YAML_SEQUENCE_START_EVENT:
        return event->data.sequence_start.anchor != NULL ||
               event->data.sequence_start.tag != NULL;
    case YAML_MAPPING_START_EVENT:
        return event->data.mapping_start.anchor != NULL ||
               event->data.mapping_start.tag != NULL;
    default:
        return event->type == YAML_ALIAS_EVENT;
    }
}

static enum err take_text(struct reader *reader, const yaml_event_t *event, char **text)
{
    const char *value = (const char *)event->data.scalar.value;
    if (strlen(value) != event->data.scalar.length)
        return refuse(reader, line_of(event), "a text holds a NUL");
    *text = mem_strdup(value);
    return ERR_OK;
}

static enum err read_node(struct reader *reader, struct tree *node,
                          const yaml_event_t *event, int depth);

static struct tree *add_item(struct tree *node, size_t *capacity)
{
    mem_grow(&node->items, capacity, node->count + 1, sizeof *node->items);
    struct tree *item = &node->items[node->count++];
    *item = (struct tree){0};
    return item;
}

static enum err read_key(struct reader *reader, struct tree *item,
                         const yaml_event_t *event)
{
    if (event->type != YAML_SCALAR_EVENT || has_extras(event))
        return refuse(reader, line_of(event), "a key is a word before a colon");
    return take_text(reader, event, &item->key);
}

static int by_key(const void *a, const void *b)
{
    const struct tree *const *left = a;
    const struct tree *const *right = b;
    int order = strcmp((*left)->key, (*right)->key);
    return order != 0
               ? order
               : ((*left)->line > (*right)->line) - ((*left)->line < (*right)->line);
}

static enum err refuse_doubles(const struct reader *reader, const struct tree *map)
{
    if (map->count < 2)
        return ERR_OK;
    const struct tree **order = mem_array(map->count, sizeof *order);
    for (size_t i = 0; i < map->count; i++)
        order[i] = &map->items[i];
    qsort(order, map->count, sizeof *order, by_key);
    enum err err = ERR_OK;
    for (size_t i = 1; err == ERR_OK && i < map->count; i++)
        if (strcmp(order[i - 1]->key, order[i]->key) == 0)
            err = err_set(reader->why, ERR_INVALID,
                          "%s:%d: '%.60s' stands in line %d already", reader->name,
                          order[i]->line, order[i]->key, order[i - 1]->line);
    free(order);
    return err;
}

/* Up to the end event, which is consumed. */
static enum err read_items(struct reader *reader, struct tree *node, int depth)
{
    size_t capacity = 0;
    bool is_map = node->kind == TREE_MAP;
    for (;;) {
        yaml_event_t event;
        enum err err = next(reader, &event);
        if (err != ERR_OK)
            return err;
        bool is_end =
            event.type == YAML_SEQUENCE_END_EVENT || event.type == YAML_MAPPING_END_EVENT;
        if (is_end) {
            yaml_event_delete(&event);
            return is_map ? refuse_doubles(reader, node) : ERR_OK;
        }
        struct tree *item = add_item(node, &capacity);
        if (is_map) {
            err = read_key(reader, item, &event);
            yaml_event_delete(&event);
            if (err == ERR_OK)
                err = next(reader, &event);
            if (err != ERR_OK)
                return err;
        }
        err = read_node(reader, item, &event, depth);
        yaml_event_delete(&event);
        if (err != ERR_OK)
            return err;
    }
}

static enum err read_node(struct reader *reader, struct tree *node,
                          const yaml_event_t *event, int depth)
{
    node->line = line_of(event);
    if (has_extras(event))
        return refuse(reader, node->line, "anchors, aliases and tags are not read here");
    if (++reader->nodes > TREE_NODES_MAX || depth > TREE_DEPTH_MAX)
        return err_set(reader->why, ERR_LIMIT, "%s:%d: %s", reader->name, node->line,
                       depth > TREE_DEPTH_MAX ? "nested too deep" : "too many entries");
    if (event->type == YAML_SCALAR_EVENT) {
        node->kind = TREE_TEXT;
        node->is_plain = event->data.scalar.style == YAML_PLAIN_SCALAR_STYLE;
        return take_text(reader, event, &node->text);
    }
    node->kind = event->type == YAML_MAPPING_START_EVENT ? TREE_MAP : TREE_LIST;
    return read_items(reader, node, depth + 1);
}

/* Stream start, document start, root, document end, stream end. */
static enum err read_stream(struct reader *reader, struct tree *root)
{
    bool has_root = false;
    for (;;) {
        yaml_event_t event;
        enum err err = next(reader, &event);
        if (err != ERR_OK)
            return err;
        enum yaml_event_type_e type = event.type;
        if (type == YAML_DOCUMENT_START_EVENT && has_root)
            err = refuse(reader, line_of(&event), "a second document begins here");
        else if (type == YAML_SCALAR_EVENT || type == YAML_SEQUENCE_START_EVENT ||
                 type == YAML_MAPPING_START_EVENT || type == YAML_ALIAS_EVENT)
            err = read_node(reader, root, &event, 1);
        has_root |= type == YAML_DOCUMENT_START_EVENT;
        yaml_event_delete(&event);
        if (err != ERR_OK)
            return err;
        if (type == YAML_STREAM_END_EVENT)
            return has_root ? ERR_OK : refuse(reader, 1, "there is nothing in it");
    }
}

enum err tree_parse(struct tree **tree, const char *name, const char *text, size_t len,
                    struct err_text *why)
{
    struct reader reader = {.name = name, .text = text, .len = len, .why = why};
    *tree = NULL;
    if (len > TREE_BYTES_MAX)
        return err_set(why, ERR_LIMIT, "%s:1: larger than %u bytes", name,
                       TREE_BYTES_MAX);
    if (!yaml_parser_initialize(&reader.parser))
        log_fatal("out of memory for a YAML parser");
    yaml_parser_set_input_string(&reader.parser, (const unsigned char *)text, len);
    struct tree *root = mem_alloc(sizeof *root);
    enum err err = read_stream(&reader, root);
    yaml_parser_delete(&reader.parser);
    if (err != ERR_OK) {
        tree_destroy(root);
        return err;
    }
    *tree = root;
    return ERR_OK;
}

static void fini(struct tree *tree)
{
    for (size_t i = 0; i < tree->count; i++)
        fini(&tree->items[i]);
    free(tree->items);
    free(tree->key);
    free(tree->text);
}

void tree_destroy(struct tree *tree)
{
    if (tree == NULL)
        return;
    fini(tree);
    free(tree);
}

const struct tree *tree_get(const struct tree *map, const char *key)
{
    for (size_t i = 0; map->kind == TREE_MAP && i < map->count; i++)
        if (strcmp(map->items[i].key, key) == 0)
            return &map->items[i];
    return NULL;
}

/* ---- writing ---------------------------------------------------------------------- */

/* What no reader of YAML takes for anything but this text. */
static bool is_safe_plain(const char *text)
{
    static const char *const words[] = {"true", "false", "yes", "no", "on",
                                        "off",  "null",  "y",   "n",  NULL};
    static const char allowed[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
                                  "0123456789_-./";
    bool is_letter =
        (text[0] >= 'a' && text[0] <= 'z') || (text[0] >= 'A' && text[0] <= 'Z');
    if (!is_letter || text[strspn(text, allowed)] != '\0')
        return false;
    for (size_t i = 0; words[i] != NULL; i++)
        if (strcasecmp(text, words[i]) == 0)
            return false;
    return true;
}

/* Control characters, and those that YAML takes for ends of lines or for none at all. */
static bool is_escaped(uint32_t c)
{
    return c < 0x20 || (c >= 0x7f && c < 0xa0) || c == 0x2028 || c == 0x2029 ||
           c == 0xfeff || c == 0xfffe || c == 0xffff;
}

static uint32_t character(const char *text, size_t len)
{
    const unsigned char *bytes = (const unsigned char *)text;
    uint32_t c = len == 1 ? bytes[0] : bytes[0] & (0x7fu >> len);
    for (size_t i = 1; i < len; i++)
        c = c << 6 | (bytes[i] & 0x3f);
    return c;
}

void tree_quote(struct buf *out, const char *text)
{
    if (is_safe_plain(text)) {
        buf_text(out, text);
        return;
    }
    buf_text(out, "\"");
    while (*text != '\0') {
        size_t len = utf8_len(text, strlen(text));
        uint32_t c = len > 0 ? character(text, len) : 0xfffd;
        len = len > 0 ? len : 1;
        if (c == '"' || c == '\\')
            buf_format(out, "\\%c", (char)c);
        else if (is_escaped(c) || c == 0xfffd)
            buf_format(out, "\\u%04x", c);
        else
            buf_add(out, text, len);
        text += len;
    }
    buf_text(out, "\"");
}
