// SPDX-License-Identifier: Apache-2.0
#include "base/manual.h"

#include "base/config_value.h"
#include "base/roff.h"

static void put_key(FILE *out, const struct config_key *key)
{
    struct buf range = {0};
    config_value_describe(key, &range);
    fputs(".TP\n\\fB", out);
    roff_put(out, key->name);
    fputs("\\fR\n", out);
    roff_put(out, key->help);
    fputs(" (", out);
    roff_put(out, range.data != NULL ? range.data : "");
    if (key->fallback != NULL) {
        fputs("; default ", out);
        roff_put(out, key->fallback[0] != '\0' ? key->fallback : "\"\"");
    }
    fputs(key->is_required ? "; required)\n" : ")\n", out);
    buf_fini(&range);
}

/* Lists of maps stand below their key, to any depth. */
static void put_keys(FILE *out, const struct config_schema *schema)
{
    for (const struct config_key *key = schema->keys; key->name != NULL; key++) {
        put_key(out, key);
        if (key->type != CONFIG_RECORDS)
            continue;
        fputs(".RS\n", out);
        put_keys(out, key->record);
        fputs(".RE\n", out);
    }
}

void manual_config(FILE *out, const char *program, const struct config_schema *schema)
{
    char name[80];
    snprintf(name, sizeof name, "%s.yaml", program);
    roff_begin(out, name, 5, "settings, read once at the start");
    fputs(".SH DESCRIPTION\nYAML. \\fBmqtt.uri\\fR is the key uri below mqtt; both ways "
          "of writing it are understood. Sizes are 64K, 16M, 2G; durations 250ms, 10s, "
          "1h30m. A secret may be read from a file: NAME_file. Mistakes are all named at "
          "once, with file and line, and nothing is started.\n.SH KEYS\n",
          out);
    put_keys(out, schema);
    fputs(".SH SEE ALSO\n.BR ", out);
    roff_put(out, program);
    fputs(" (1)\n", out);
}
