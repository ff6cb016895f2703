// SPDX-License-Identifier: Apache-2.0
/*
 * config_model - places, devices, placements and rules: as the API has them, and as a
 * file has them.
 *
 * Both are brought into one normal form, in which what is the same looks the same: only
 * fields that a command can set, no defaults, times and durations in milliseconds. Which
 * fields there are, the collector says itself (GET /api/v1/verbs). One thread.
 */
#ifndef COLDCHAIN_COLDCHAINCTL_CONFIG_MODEL_H
#define COLDCHAIN_COLDCHAINCTL_CONFIG_MODEL_H

#include <jansson.h>

#include "base/buf.h"
#include "base/err.h"
#include "coldchainctl/client.h"

/* In the order of the file: what is named comes before what names it. */
enum model_kind {
    MODEL_ORG,
    MODEL_SITE,
    MODEL_ZONE,
    MODEL_DEVICE,
    MODEL_CHANNEL,
    MODEL_PLACEMENT,
    MODEL_RULE,
    MODEL_KINDS,
};

struct model_kind_row {
    const char *name;    /* "zone" */
    const char *section; /* "zones" */
    const char *verb;    /* whose fields it has; NULL: see config_model.c */
};
extern const struct model_kind_row model_kinds[MODEL_KINDS];

struct model {
    /* Array of {name, type, needed, ...} per kind: of the collector that was asked. */
    json_t *fields[MODEL_KINDS];
    /* id -> {field: value}; NULL: a file that does not speak of this kind. */
    json_t *entities[MODEL_KINDS];
    json_t *versions[MODEL_KINDS]; /* id -> number, of the API */
    json_t *lines[MODEL_KINDS];    /* id -> line, of a file */
};

/* Asks until two answers are the same, so that it is of one moment. */
MUST_CHECK enum err model_fetch(struct model *model, struct client *client,
                                struct err_text *why);
/* The fields that this program's own release knows, and no entities: nobody is asked. */
void model_local(struct model *model);
/* Accepts a zeroed one. */
void model_fini(struct model *model);

/* The file: the same model gives the same bytes. */
void model_write(const struct model *model, struct buf *out);
/*
 * Reads a file whole or not at all: INVALID, and `why` begins with "NAME:LINE: ". Fields
 * are those of `state`, which also knows the ids of placements that the file leaves out.
 */
MUST_CHECK enum err model_read(struct model *model, const struct model *state,
                               const char *name, const char *text, size_t len,
                               struct err_text *why);

/*
 * The same of a file that need not be a whole configuration: it may lack its first and
 * last line, and name zones and devices that are nowhere declared.
 */
MUST_CHECK enum err model_read_part(struct model *model, const struct model *state,
                                    const char *name, const char *text, size_t len,
                                    struct err_text *why);

/* A value of that field for people; appends it. NULL: "-". */
void model_value_text(struct buf *out, const json_t *field, const json_t *value);

/* For config_read.c: the normal form; NULL when nothing is left of it. New references. */
json_t *model_normal_value(const json_t *field, const json_t *value);
void model_drop_defaults(enum model_kind kind, json_t *body);
const char *model_text(const json_t *object, const char *key);

#endif
