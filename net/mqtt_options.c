// SPDX-License-Identifier: Apache-2.0
#include "net/mqtt_options.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* Every text of the options; a new one is a new line here. */
static const size_t texts[] = {
    offsetof(struct mqtt_options, uri),
    offsetof(struct mqtt_options, client_id),
    offsetof(struct mqtt_options, username),
    offsetof(struct mqtt_options, password),
    offsetof(struct mqtt_options, ca_file),
    offsetof(struct mqtt_options, cert_file),
    offsetof(struct mqtt_options, key_file),
    offsetof(struct mqtt_options, will_topic),
    offsetof(struct mqtt_options, will_payload),
};

static char **text_at(struct mqtt_options *options, size_t which)
{
    return (char **)(void *)((char *)options + texts[which]);
}

static enum err check_file(const char *what, const char *path, struct err_text *why)
{
    if (path == NULL || access(path, R_OK) == 0)
        return ERR_OK;
    return err_set(why, err_from_errno(errno), "cannot read the %s %s: %s", what, path,
                   strerror(errno));
}

enum err mqtt_options_check(const struct mqtt_options *options, struct mqtt_uri *uri,
                            struct err_text *why)
{
    enum err err = mqtt_uri_parse(uri, options->uri, why);
    if (err == ERR_OK)
        err = check_file("CA file", options->ca_file, why);
    if (err == ERR_OK)
        err = check_file("certificate", options->cert_file, why);
    if (err == ERR_OK)
        err = check_file("key", options->key_file, why);
    return err;
}

struct mqtt_options mqtt_options_dup(const struct mqtt_options *options)
{
    struct mqtt_options copy = *options;
    for (size_t i = 0; i < COUNT(texts); i++) {
        char **text = text_at(&copy, i);
        if (*text != NULL)
            *text = mem_strdup(*text);
    }
    return copy;
}

void mqtt_options_fini(struct mqtt_options *options)
{
    for (size_t i = 0; i < COUNT(texts); i++) {
        char **text = text_at(options, i);
        if (*text != NULL)
            explicit_bzero(*text, strlen(*text));
        free(*text);
        *text = NULL;
    }
}
