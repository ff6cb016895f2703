// SPDX-License-Identifier: Apache-2.0
#include "base/config.h"

#include <assert.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include <yaml.h>

#include "base/config_value.h"
#include "base/file.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/names.h"

#define SECRET_FILE_MAX 65536
#define SECRET_SUFFIX   "_file"
#define DEPTH_MAX       32

struct config_place {
    const void *field;
    int line;
};

/* One map of the file, read under one table. */
struct scope {
    struct config *config;
    yaml_document_t *document;
    const struct config_schema *schema;
    void *settings;
    const char *path; /* for messages: "zones[2]." or "" */
    int *lines;       /* where each key of the table stood; 0: nowhere yet */
};

static void problem(struct config *config, int line, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

static void problem_text(struct config *config, int line, const char *fmt, va_list args)
    __attribute__((format(printf, 3, 0)));

static void put_sentence(struct config *config, struct buf *to, int line, const char *fmt,
                         va_list args) __attribute__((format(printf, 4, 0)));

static void put_sentence(struct config *config, struct buf *to, int line, const char *fmt,
                         va_list args)
{
    char text[sizeof(struct err_text)];
    vsnprintf(text, sizeof text, fmt, args);
    buf_text(to, config->path);
    if (line > 0)
        buf_format(to, ":%d", line);
    buf_format(to, ": %s\n", text);
}

static void problem_text(struct config *config, int line, const char *fmt, va_list args)
{
    if (config->problems_count++ < CONFIG_PROBLEMS_MAX)
        put_sentence(config, &config->problems, line, fmt, args);
}

static void problem(struct config *config, int line, const char *fmt, ...)
{
    va_list args;
    va_start(args, fmt);
    problem_text(config, line, fmt, args);
    va_end(args);
}

static bool is_full(const struct config *config)
{
    return config->problems_count >= CONFIG_PROBLEMS_MAX;
}

static int line_of_place(const struct config *config, const void *field)
{
    for (size_t i = config->places_count; i > 0; i--)
        if (config->places[i - 1].field == field)
            return config->places[i - 1].line;
    return 0;
}

static void remember(struct config *config, const void *field, int line)
{
    mem_grow(&config->places, &config->places_capacity, config->places_count + 1,
             sizeof(struct config_place));
    config->places[config->places_count++] = (struct config_place){field, line};
}

static int line_of(const yaml_node_t *node)
{
    return (int)node->start_mark.line + 1;
}

/* The text of a scalar; NULL for what is none, or holds a NUL. */
static const char *text_of(const yaml_node_t *node)
{
    if (node->type != YAML_SCALAR_NODE)
        return NULL;
    const char *text = (const char *)node->data.scalar.value;
    return strlen(text) == node->data.scalar.length ? text : NULL;
}

/* `key:` with nothing, ~ or null behind it. */
static bool is_nothing(const yaml_node_t *node)
{
    if (node->type != YAML_SCALAR_NODE ||
        node->data.scalar.style != YAML_PLAIN_SCALAR_STYLE)
        return false;
    const char *text = (const char *)node->data.scalar.value;
    return text[0] == '\0' || strcmp(text, "~") == 0 || strcmp(text, "null") == 0;
}

static bool is_section(const struct config_schema *schema, const char *name)
{
    size_t len = strlen(name);
    for (const struct config_key *key = schema->keys; key->name != NULL; key++)
        if (strncmp(key->name, name, len) == 0 && key->name[len] == '.')
            return true;
    return false;
}

static bool is_name(const char *known, const char *name, size_t len)
{
    return known != NULL && strlen(known) == len && memcmp(known, name, len) == 0;
}

static const struct config_key *find_key(const struct config_schema *schema,
                                         const char *name, size_t len)
{
    for (const struct config_key *key = schema->keys; key->name != NULL; key++)
        if (is_name(key->name, name, len) || is_name(key->also, name, len))
            return key;
    return NULL;
}

/* The secret that "NAME_file" belongs to. */
static const struct config_key *find_secret(const struct config_schema *schema,
                                            const char *name)
{
    size_t len = strlen(name);
    size_t suffix = strlen(SECRET_SUFFIX);
    if (len <= suffix || strcmp(name + len - suffix, SECRET_SUFFIX) != 0)
        return NULL;
    const struct config_key *key = find_key(schema, name, len - suffix);
    return key != NULL && key->type == CONFIG_SECRET ? key : NULL;
}

static void value_problem(const struct scope *scope, const struct config_key *key,
                          const yaml_node_t *node)
{
    struct buf about = {0};
    config_value_describe(key, &about);
    const char *text = text_of(node);
    if (is_nothing(node))
        problem(scope->config, line_of(node),
                "'%s%s' has no value: it takes %s; remove the line to leave it out",
                scope->path, key->name, about.data);
    else if (text == NULL || !config_is_scalar(key) || key->type == CONFIG_SECRET)
        problem(scope->config, line_of(node), "'%s%s' takes %s", scope->path, key->name,
                about.data);
    else
        problem(scope->config, line_of(node), "'%s%s' takes %s; not '%.80s'", scope->path,
                key->name, about.data, text);
    buf_fini(&about);
}

/* Nothing to refuse a start for, but somebody should know. */
static void note_exposure(struct config *config, const char *path)
{
    struct stat about;
    if (config->exposed == NULL && stat(path, &about) == 0 &&
        (about.st_mode & S_IROTH) != 0)
        config->exposed = mem_strdup(path);
}

static void read_scalar(const struct scope *scope, const struct config_key *key,
                        const yaml_node_t *node)
{
    void *field = config_field(key, scope->settings);
    const char *text = text_of(node);
    if (text == NULL || config_value_parse(key, field, text) != ERR_OK)
        value_problem(scope, key, node);
    if (key->type == CONFIG_SECRET)
        note_exposure(scope->config, scope->config->path);
}

static char *beside(const char *config_path, const char *path)
{
    const char *slash = strrchr(config_path, '/');
    if (path[0] == '/' || slash == NULL)
        return mem_strdup(path);
    return mem_format("%.*s/%s", (int)(slash - config_path), config_path, path);
}

/* Editors end a file with a newline; it is not part of the secret. */
static void read_secret_file(const struct scope *scope, const struct config_key *key,
                             const yaml_node_t *node)
{
    const char *text = text_of(node);
    if (text == NULL || text[0] == '\0') {
        problem(scope->config, line_of(node), "'%s%s" SECRET_SUFFIX "' takes a path",
                scope->path, key->name);
        return;
    }
    char *path = beside(scope->config->path, text);
    struct buf secret = {0};
    struct err_text why;
    enum err err = file_read(&secret, path, SECRET_FILE_MAX, &why);
    while (secret.len > 0 && strchr("\r\n", secret.data[secret.len - 1]) != NULL)
        secret.data[--secret.len] = '\0';
    if (err != ERR_OK)
        problem(scope->config, line_of(node), "%s", why.text);
    else if (secret.len == 0 || strlen(secret.data) != secret.len)
        problem(scope->config, line_of(node),
                "%s holds no text: write the secret into it", path);
    else if (config_value_parse(key, config_field(key, scope->settings), secret.data) !=
             ERR_OK)
        assert(!"a secret is any text");
    note_exposure(scope->config, path);
    if (secret.data != NULL)
        explicit_bzero(secret.data, secret.capacity);
    buf_fini(&secret);
    free(path);
}

/* Room for the items of a list, which are counted against what a file may hold. */
static bool make_list(const struct scope *scope, const struct config_key *key,
                      const yaml_node_t *node, size_t count, size_t size)
{
    struct config *config = scope->config;
    bool is_counted = key->least < key->most;
    if (is_counted && ((double)count < key->least || (double)count > key->most)) {
        value_problem(scope, key, node);
        return false;
    }
    config->records_count += count;
    if (config->records_count > CONFIG_RECORDS_MAX) {
        problem(config, line_of(node), "more than %d entries in the lists of one file",
                CONFIG_RECORDS_MAX);
        return false;
    }
    void *items = mem_array(count, size);
    memcpy(config_field(key, scope->settings), &items, sizeof items);
    *config_count(key, scope->settings) = count;
    return true;
}

static yaml_node_t *item_at(const struct scope *scope, const yaml_node_t *list, size_t at)
{
    return yaml_document_get_node(scope->document, list->data.sequence.items.start[at]);
}

static size_t item_count(const yaml_node_t *list)
{
    return (size_t)(list->data.sequence.items.top - list->data.sequence.items.start);
}

static size_t pair_count(const yaml_node_t *map)
{
    return (size_t)(map->data.mapping.pairs.top - map->data.mapping.pairs.start);
}

static void read_strings(const struct scope *scope, const struct config_key *key,
                         const yaml_node_t *node)
{
    if (node->type != YAML_SEQUENCE_NODE) {
        value_problem(scope, key, node);
        return;
    }
    size_t count = item_count(node);
    if (!make_list(scope, key, node, count, sizeof(char *)))
        return;
    char **items = config_pointer(key, scope->settings);
    for (size_t i = 0; i < count; i++) {
        const yaml_node_t *item = item_at(scope, node, i);
        const char *text = is_nothing(item) ? NULL : text_of(item);
        if (text == NULL)
            problem(scope->config, line_of(item), "'%s%s[%zu]' takes a text", scope->path,
                    key->name, i);
        items[i] = mem_strdup(text != NULL ? text : "");
        remember(scope->config, &items[i], line_of(item));
    }
}

static void read_pair(const struct scope *scope, const struct config_key *key,
                      const yaml_node_pair_t *from, struct config_pair *pair)
{
    const yaml_node_t *name_node = yaml_document_get_node(scope->document, from->key);
    const yaml_node_t *node = yaml_document_get_node(scope->document, from->value);
    const char *name = text_of(name_node);
    const char *value = is_nothing(node) ? NULL : text_of(node);
    if (name == NULL || value == NULL)
        problem(scope->config, line_of(name_node), "'%s%s.%.80s' takes a text",
                scope->path, key->name, name != NULL ? name : "?");
    pair->name = mem_strdup(name != NULL ? name : "");
    pair->value = mem_strdup(value != NULL ? value : "");
    remember(scope->config, pair, line_of(name_node));
}

static int by_name(const void *a, const void *b)
{
    const struct config_pair *const *one = a;
    const struct config_pair *const *other = b;
    return strcmp((*one)->name, (*other)->name);
}

static void refuse_double_pairs(const struct scope *scope, const struct config_key *key,
                                const struct config_pair *pairs, size_t count)
{
    const struct config_pair **sorted = mem_array(count, sizeof(struct config_pair *));
    for (size_t i = 0; i < count; i++)
        sorted[i] = &pairs[i];
    qsort(sorted, count, sizeof(struct config_pair *), by_name);
    for (size_t i = 1; i < count; i++)
        if (strcmp(sorted[i]->name, sorted[i - 1]->name) == 0)
            config_problem(scope->config, sorted[i],
                           "'%s%s.%.80s' occurs twice; remove one", scope->path,
                           key->name, sorted[i]->name);
    free(sorted);
}

static void read_pairs(const struct scope *scope, const struct config_key *key,
                       const yaml_node_t *node)
{
    if (node->type != YAML_MAPPING_NODE) {
        value_problem(scope, key, node);
        return;
    }
    size_t count = pair_count(node);
    if (!make_list(scope, key, node, count, sizeof(struct config_pair)))
        return;
    struct config_pair *pairs = config_pointer(key, scope->settings);
    for (size_t i = 0; i < count; i++)
        read_pair(scope, key, &node->data.mapping.pairs.start[i], &pairs[i]);
    refuse_double_pairs(scope, key, pairs, count);
}

static void read_scope(const struct scope *outer, const struct config_schema *schema,
                       void *settings, const char *path, const yaml_node_t *node);

static void read_records(const struct scope *scope, const struct config_key *key,
                         const yaml_node_t *node)
{
    if (node->type != YAML_SEQUENCE_NODE) {
        value_problem(scope, key, node);
        return;
    }
    size_t count = item_count(node);
    if (!make_list(scope, key, node, count, key->record->size))
        return;
    for (size_t i = 0; i < count && !is_full(scope->config); i++) {
        char *path = mem_format("%s%s[%zu].", scope->path, key->name, i);
        read_scope(scope, key->record, config_record(key, scope->settings, i), path,
                   item_at(scope, node, i));
        free(path);
    }
}

static void read_value(const struct scope *scope, const struct config_key *key,
                       const yaml_node_t *node, bool is_secret_file)
{
    int *line = &scope->lines[key - scope->schema->keys];
    if (*line != 0) {
        problem(scope->config, line_of(node),
                "'%s%s' has a value already in line %d; remove one", scope->path,
                key->name, *line);
        return;
    }
    *line = line_of(node);
    remember(scope->config, config_field(key, scope->settings), *line);
    if (is_nothing(node))
        value_problem(scope, key, node);
    else if (is_secret_file)
        read_secret_file(scope, key, node);
    else if (config_is_scalar(key))
        read_scalar(scope, key, node);
    else if (key->type == CONFIG_STRINGS)
        read_strings(scope, key, node);
    else if (key->type == CONFIG_PAIRS)
        read_pairs(scope, key, node);
    else
        read_records(scope, key, node);
}

/* Near names first; else what is known in this section. */
static void unknown_key(const struct scope *scope, const char *name, int line)
{
    struct names_near near;
    names_near_init(&near, name);
    const char *dot = strrchr(name, '.');
    size_t section = dot != NULL ? (size_t)(dot - name) + 1 : 0;
    struct buf known = {0};
    for (const struct config_key *key = scope->schema->keys; key->name != NULL; key++) {
        for (const char *end = key->name; end != NULL; end = strchr(end + 1, '.'))
            if (end != key->name)
                names_near_offer(&near, key->name, (size_t)(end - key->name));
        names_near_offer(&near, key->name, strlen(key->name));
        if (strncmp(key->name, name, section) == 0)
            buf_format(&known, "%s%s", known.len > 0 ? ", " : "", key->name + section);
    }
    if (known.len == 0)
        buf_text(&known, "nothing like it; see --print-config");
    if (near.best != NULL)
        problem(scope->config, line, "unknown key '%s%.80s'; did you mean '%s%.*s'?",
                scope->path, name, scope->path, (int)near.best_len, near.best);
    else
        problem(scope->config, line, "unknown key '%s%.80s'; known here: %s", scope->path,
                name, known.data);
    buf_fini(&known);
}

static void read_section(const struct scope *scope, const yaml_node_t *node,
                         const char *section);

static void read_entry(const struct scope *scope, const char *name, int line,
                       const yaml_node_t *node)
{
    const struct config_key *key = find_key(scope->schema, name, strlen(name));
    const struct config_key *secret = find_secret(scope->schema, name);
    if (key != NULL)
        read_value(scope, key, node, false);
    else if (secret != NULL)
        read_value(scope, secret, node, true);
    else if (!is_section(scope->schema, name))
        unknown_key(scope, name, line);
    else if (node->type == YAML_MAPPING_NODE)
        read_section(scope, node, name);
    else if (!is_nothing(node))
        problem(scope->config, line_of(node),
                "'%s%s' is a section: its keys go below it, indented", scope->path, name);
}

/* The line of the same key further up in this map; 0 for none. */
static int line_before(const struct scope *scope, const yaml_node_t *map,
                       const yaml_node_pair_t *pair, const char *name)
{
    for (const yaml_node_pair_t *at = map->data.mapping.pairs.start; at < pair; at++) {
        const yaml_node_t *node = yaml_document_get_node(scope->document, at->key);
        const char *other = text_of(node);
        if (other != NULL && strcmp(other, name) == 0)
            return line_of(node);
    }
    return 0;
}

/* `section`: NULL for the map itself. Depth is bounded by the dots of the table's names.
 */
static void read_section(const struct scope *scope, const yaml_node_t *node,
                         const char *section)
{
    for (const yaml_node_pair_t *pair = node->data.mapping.pairs.start;
         pair < node->data.mapping.pairs.top && !is_full(scope->config); pair++) {
        const yaml_node_t *key = yaml_document_get_node(scope->document, pair->key);
        const char *text = text_of(key);
        if (text == NULL) {
            problem(scope->config, line_of(key), "a key must be a plain text");
            continue;
        }
        char *name =
            section != NULL ? mem_format("%s.%s", section, text) : mem_strdup(text);
        int before =
            is_section(scope->schema, name) ? line_before(scope, node, pair, text) : 0;
        if (before != 0)
            problem(scope->config, line_of(key),
                    "section '%s%s' is already in line %d; put its keys together",
                    scope->path, name, before);
        else
            read_entry(scope, name, line_of(key),
                       yaml_document_get_node(scope->document, pair->value));
        free(name);
    }
}

static void require_keys(const struct scope *scope, int line)
{
    for (const struct config_key *key = scope->schema->keys; key->name != NULL; key++)
        if (key->is_required && scope->lines[key - scope->schema->keys] == 0)
            problem(scope->config, line, "'%s%s' is missing: %s", scope->path, key->name,
                    key->help);
}

static size_t key_count(const struct config_schema *schema)
{
    size_t count = 0;
    while (schema->keys[count].name != NULL)
        count++;
    return count;
}

/* `node` NULL: an empty file. */
static void read_scope(const struct scope *outer, const struct config_schema *schema,
                       void *settings, const char *path, const yaml_node_t *node)
{
    struct scope scope = *outer;
    scope.schema = schema;
    scope.settings = settings;
    scope.path = path;
    scope.lines = mem_array(key_count(schema), sizeof(int));
    config_fallbacks(schema, settings);
    if (node != NULL)
        remember(scope.config, settings, line_of(node));
    bool is_map = node != NULL && node->type == YAML_MAPPING_NODE;
    if (is_map)
        read_section(&scope, node, NULL);
    else if (node != NULL && !is_nothing(node))
        problem(scope.config, line_of(node),
                "expected keys and values here ('key: value')");
    if (!is_full(scope.config))
        require_keys(&scope, node != NULL && outer->path != NULL ? line_of(node) : 0);
    free(scope.lines);
}

static void run_checks(struct config *config, const struct config_schema *schema,
                       const void *settings)
{
    for (const struct config_key *key = schema->keys; key->name != NULL; key++)
        for (size_t i = 0;
             key->type == CONFIG_RECORDS && i < *config_count(key, settings); i++)
            run_checks(config, key->record, config_record(key, settings, i));
    if (schema->check != NULL)
        schema->check(config, settings);
}

static void begin(struct config *config, const struct config_schema *schema,
                  void *settings, const char *name)
{
    assert(config_table_is_sound(schema));
    *config =
        (struct config){.schema = schema, .settings = settings, .path = mem_strdup(name)};
    memset(settings, 0, schema->size);
}

/* Errors of encoding come without a line, but with the offset. */
static int line_of_offset(const char *text, size_t len, size_t offset)
{
    int line = 1;
    for (size_t i = 0; i < offset && i < len; i++)
        line += text[i] == '\n';
    return line;
}

static void yaml_problem(struct config *config, const yaml_parser_t *parser,
                         const char *text, size_t len)
{
    const char *what = parser->problem != NULL ? parser->problem : "cannot be read";
    int line = parser->error == YAML_READER_ERROR
                   ? line_of_offset(text, len, parser->problem_offset)
                   : (int)parser->problem_mark.line + 1;
    struct buf context = {0};
    if (parser->context != NULL)
        buf_format(&context, " (%s from line %zu)", parser->context,
                   parser->context_mark.line + 1);
    problem(
        config, line,
        "not valid YAML: %s%s; look at indentation (spaces, no tabs), colons and quotes",
        what, context.len > 0 ? context.data : "");
    buf_fini(&context);
}

static void read_document(struct config *config, yaml_document_t *document)
{
    struct scope outer = {.config = config, .document = document};
    read_scope(&outer, config->schema, config->settings, "",
               yaml_document_get_root_node(document));
}

/* Loads the document that must not be there; true when the parser is content with it. */
static bool refuse_second(struct config *config, yaml_parser_t *parser)
{
    yaml_document_t second;
    if (!yaml_parser_load(parser, &second))
        return false;
    const yaml_node_t *root = yaml_document_get_root_node(&second);
    if (root != NULL)
        problem(config, line_of(root), "a second document begins here; remove the '---'");
    yaml_document_delete(&second);
    return true;
}

static bool read_documents(struct config *config, yaml_parser_t *parser)
{
    yaml_document_t document;
    if (!yaml_parser_load(parser, &document))
        return false;
    read_document(config, &document);
    bool is_empty = yaml_document_get_root_node(&document) == NULL;
    yaml_document_delete(&document);
    return is_empty || refuse_second(config, parser);
}

/*
 * libyaml takes time that grows with the square of the nesting, minutes for a hostile
 * megabyte, so the depth is looked at first. Its scanner runs at most 1024 bytes ahead.
 */
static bool is_too_deep(const char *text, size_t len)
{
    yaml_parser_t parser;
    yaml_event_t event;
    int depth = 0;
    bool is_ended = false;
    if (!yaml_parser_initialize(&parser))
        log_fatal("out of memory for a YAML parser");
    yaml_parser_set_input_string(&parser, (const unsigned char *)text, len);
    while (!is_ended && depth <= DEPTH_MAX && yaml_parser_parse(&parser, &event)) {
        depth += event.type == YAML_SEQUENCE_START_EVENT ||
                 event.type == YAML_MAPPING_START_EVENT;
        depth -=
            event.type == YAML_SEQUENCE_END_EVENT || event.type == YAML_MAPPING_END_EVENT;
        is_ended = event.type == YAML_STREAM_END_EVENT;
        yaml_event_delete(&event);
    }
    yaml_parser_delete(&parser);
    return depth > DEPTH_MAX;
}

static void read_yaml(struct config *config, const char *text, size_t len)
{
    if (is_too_deep(text, len)) {
        problem(config, 0, "nested more than %d deep; nothing here needs that",
                DEPTH_MAX);
        return;
    }
    yaml_parser_t parser;
    if (!yaml_parser_initialize(&parser))
        log_fatal("out of memory for a YAML parser");
    yaml_parser_set_input_string(&parser, (const unsigned char *)text, len);
    if (!read_documents(config, &parser))
        yaml_problem(config, &parser, text, len);
    yaml_parser_delete(&parser);
}

static enum err finish(struct config *config, struct err_text *why)
{
    if (config->problems_count == 0)
        run_checks(config, config->schema, config->settings);
    if (config->problems_count == 0)
        return ERR_OK;
    int first_len = (int)strcspn(config->problems.data, "\n");
    if (config->problems_count == 1)
        return err_set(why, ERR_INVALID, "%.*s", first_len, config->problems.data);
    return err_set(why, ERR_INVALID, "%.*s (and %zu more)", first_len,
                   config->problems.data, config->problems_count - 1);
}

enum err config_load_text(struct config *config, const struct config_schema *schema,
                          void *settings, const char *name, const char *text, size_t len,
                          struct err_text *why)
{
    begin(config, schema, settings, name);
    read_yaml(config, text, len);
    return finish(config, why);
}

enum err config_load(struct config *config, const struct config_schema *schema,
                     void *settings, const char *path, struct err_text *why)
{
    struct buf text = {0};
    enum err err = file_read(&text, path, CONFIG_FILE_MAX, why);
    if (err == ERR_OK)
        err = config_load_text(config, schema, settings, path, text.data, text.len, why);
    else
        begin(config, schema, settings, path);
    if (text.data != NULL)
        explicit_bzero(text.data, text.capacity);
    buf_fini(&text);
    return err;
}

void config_defaults(struct config *config, const struct config_schema *schema,
                     void *settings)
{
    begin(config, schema, settings, "defaults");
    config_fallbacks(schema, settings);
}

void config_fini(struct config *config)
{
    if (config->schema != NULL)
        config_free(config->schema, config->settings);
    free(config->path);
    free(config->places);
    free(config->exposed);
    buf_fini(&config->problems);
    buf_fini(&config->warnings);
    buf_fini(&config->where);
    *config = (struct config){0};
}

const char *config_where(struct config *config, const void *field)
{
    int line = line_of_place(config, field);
    buf_clear(&config->where);
    buf_text(&config->where, config->path);
    if (line > 0)
        buf_format(&config->where, ":%d", line);
    return config->where.data;
}

void config_problem(struct config *config, const void *field, const char *fmt, ...)
{
    va_list args;
    va_start(args, fmt);
    problem_text(config, line_of_place(config, field), fmt, args);
    va_end(args);
}

void config_warning(struct config *config, const void *field, const char *fmt, ...)
{
    va_list args;
    if (config->warnings_count++ >= CONFIG_PROBLEMS_MAX)
        return;
    va_start(args, fmt);
    put_sentence(config, &config->warnings, line_of_place(config, field), fmt, args);
    va_end(args);
}
