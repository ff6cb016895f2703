// SPDX-License-Identifier: Apache-2.0
/*
 * config - YAML under key tables: one table gives parsing, ranges, defaults,
 * --print-config and messages that say file, line and remedy.
 *
 * A program describes its settings as a plain struct and a schema: a table with one row
 * per key. "mqtt.uri" is `uri:` below `mqtt:`. Lists of maps are tables of their own, to
 * any depth. All problems of a file are collected, not the first alone. Strings and lists
 * in the settings belong to the config until config_fini(). One thread at a time.
 */
#ifndef COLDCHAIN_BASE_CONFIG_H
#define COLDCHAIN_BASE_CONFIG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"

#define CONFIG_FILE_MAX     (4u << 20)
#define CONFIG_RECORDS_MAX  200000 /* in all lists of a file */
#define CONFIG_PROBLEMS_MAX 20     /* reading goes on until so many */

enum config_type {
    CONFIG_STRING,   /* char *: NULL when unset */
    CONFIG_SECRET,   /* char *: also from a file, by `NAME_file`; never printed */
    CONFIG_BOOL,     /* bool: true, yes, on; false, no, off */
    CONFIG_INT,      /* int64_t */
    CONFIG_DOUBLE,   /* double, finite */
    CONFIG_SIZE,     /* int64_t, bytes: "64M", see base/units.h */
    CONFIG_DURATION, /* int64_t, milliseconds: "10s", "1h30m" */
    CONFIG_ENUM,     /* int or an enum: index into `words` */
    CONFIG_STRINGS,  /* char ** and a count: list of texts */
    CONFIG_PAIRS,    /* struct config_pair * and a count: map of free names to texts */
    CONFIG_RECORDS,  /* struct ... * and a count: list of maps, each under `record` */
};

struct config_pair {
    char *name;
    char *value;
};

struct config;

struct config_key {
    const char *name; /* "mqtt.uri"; NULL ends the table. Sections stay together */
    enum config_type type;
    bool is_required;
    size_t offset;        /* of the field */
    size_t count_offset;  /* lists: of their size_t count */
    const char *fallback; /* as the file would have it; NULL: unset, 0, false, empty */
    double least;         /* when they differ: bounds of numbers, bytes, milliseconds, */
    double most;          /* and of the count of a list */
    const char *const *words;           /* ENUM: NULL at the end */
    const struct config_schema *record; /* RECORDS */
    const char *help;                   /* one line, printed above the key */
    const char *also; /* a name that is taken for it, too: what commands call it */
};

struct config_schema {
    const struct config_key *keys;
    size_t size; /* of the struct that the offsets are of */
    /*
     * What a table cannot say (contradictions, ids used twice), or NULL. Reports through
     * config_problem(). Runs for each record, then for the whole, and only when
     * everything else of the file is sound.
     */
    void (*check)(struct config *config, const void *settings);
};

/* Where a value stood; private to config.c. */
struct config_place;

/* A zeroed struct is safe to fini. */
struct config {
    const struct config_schema *schema;
    void *settings;
    char *path;
    struct config_place *places;
    size_t places_count;
    size_t places_capacity;
    size_t records_count;
    struct buf problems; /* "FILE:LINE: sentence\n" each, in the order found */
    size_t problems_count;
    struct buf warnings; /* the same of what is allowed and hardly meant */
    size_t warnings_count;
    struct buf where;
    char *exposed; /* a file with a secret that everybody can read; NULL: none */
};

/*
 * Reads the file into *settings (schema->size bytes, zeroed here first). `why` is the
 * first problem and how many more there are; all are in config->problems. NOT_FOUND or
 * DENIED when the file cannot be read, INVALID for what it says. The caller runs
 * config_fini in any case.
 */
MUST_CHECK enum err config_load(struct config *config, const struct config_schema *schema,
                                void *settings, const char *path, struct err_text *why);
/* The same from memory; `name` is what messages call it. */
MUST_CHECK enum err config_load_text(struct config *config,
                                     const struct config_schema *schema, void *settings,
                                     const char *name, const char *text, size_t len,
                                     struct err_text *why);
/* Fallbacks only: no file, nothing required, nothing checked. */
void config_defaults(struct config *config, const struct config_schema *schema,
                     void *settings);
/* Frees what the settings hold, and zeroes them. */
void config_fini(struct config *config);

/*
 * "FILE:LINE" of a field of the settings or of a record, "FILE" for a value that is not
 * in the file. Borrowed until the next call.
 */
const char *config_where(struct config *config, const void *field);
/* Adds "FILE:LINE: sentence"; for check functions and for what a daemon finds later. */
void config_problem(struct config *config, const void *field, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

/* The same of what is allowed and hardly meant: it is told, and the settings are in
 * order.
 */
void config_warning(struct config *config, const void *field, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

/*
 * Adds every value in force as YAML with its help, type, range and default as comments.
 * It loads to the same settings, but for secrets that stood in the file itself: they are
 * left out.
 */
void config_print(const struct config *config, struct buf *to);

#endif
