// SPDX-License-Identifier: Apache-2.0
#include "collector/store/schema.h"

#include <stdio.h>
#include <string.h>

#include "base/embed.h"

extern const struct embed_file schema_files[];
extern const size_t schema_files_count;

static const char *file_text(const char *name, size_t version)
{
    char file[64];
    snprintf(file, sizeof file, "%s-%zu.sql", name, version + 1);
    for (size_t i = 0; i < schema_files_count; i++)
        if (strcmp(schema_files[i].name, file) == 0)
            return (const char *)schema_files[i].data;
    return NULL;
}

static const char *state_step(size_t version)
{
    return file_text("state", version);
}

static const char *history_step(size_t version)
{
    return file_text("history", version);
}

static const char *month_step(size_t version)
{
    return file_text("month", version);
}

const struct db_schema state_schema = {
    .application_id = 0x43437331, /* "CCs1" */
    .page_size = 4096,
    .takes_lock = true,
    .step = state_step,
};

const struct db_schema history_schema = {
    .application_id = 0x43436831, /* "CCh1" */
    .page_size = 4096,
    .takes_lock = true,
    .step = history_step,
};

/* Larger pages: a chunk has some thousand bytes. */
const struct db_schema month_schema = {
    .application_id = 0x43436d31, /* "CCm1" */
    .page_size = 32768,
    .takes_lock = false,
    .step = month_step,
};
