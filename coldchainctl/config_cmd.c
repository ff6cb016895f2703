// SPDX-License-Identifier: Apache-2.0
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/tree.h"
#include "coldchainctl/client.h"
#include "coldchainctl/commands.h"
#include "coldchainctl/config_plan.h"
#include "coldchainctl/say.h"
#include "coldchainctl/show.h"

struct config_args {
    struct client_args client;
    const char *reason;
    bool is_agreed;
    bool is_dry_run;
    bool wants_json;
};

static const struct option options[] = {
    {.name = "yes",
     .type = OPTION_FLAG,
     .offset = offsetof(struct config_args, is_agreed),
     .help = "import: apply the difference without asking"},
    {.name = "dry-run",
     .type = OPTION_FLAG,
     .offset = offsetof(struct config_args, is_dry_run),
     .help = "import: show the difference, and change nothing"},
    {.name = "reason",
     .type = OPTION_TEXT,
     .offset = offsetof(struct config_args, reason),
     .value = "a sentence",
     .arg = "TEXT",
     .help = "import: why; the audit keeps it"},
    {.name = "json",
     .type = OPTION_FLAG,
     .offset = offsetof(struct config_args, wants_json),
     .help = "import: the difference, and what was applied, for programs"},
    CLIENT_OPTIONS(struct config_args, client),
    {.name = NULL},
};

/* ---- export ------------------------------------------------------------------------ */

static enum err write_out(const char *path, const struct buf *text, struct err_text *why)
{
    if (strcmp(path, "-") != 0)
        return file_replace(path, text->data, text->len, why);
    bool is_written =
        fwrite(text->data, 1, text->len, stdout) == text->len && fflush(stdout) == 0;
    return is_written ? ERR_OK : err_set(why, ERR_IO, say("cannot write to stdout"));
}

static enum err export(struct client *client, const struct config_args *args,
                       const char *path, struct err_text *why) {
    struct model model; struct buf text = {0}; (void)args;
    enum err err = model_fetch(&model, client, why);
    if (err != ERR_OK) return err;
    model_write(&model, &text);
    err = write_out(path, &text, why);
    buf_fini(&text);
    model_fini(&model);
    return err;
}

/* ---- import ------------------------------------------------------------------------ */

static enum err read_in(const char *path, struct buf *text, struct err_text *why)
{
    return file_read(text, strcmp(path, "-") == 0 ? "/dev/stdin" : path, TREE_BYTES_MAX,
                     why);
}

/* The version that the entity has by now, of this import. */
static json_t **versions_of(struct model *state, const json_t *command)
{
    for (int kind = 0; kind < MODEL_KINDS; kind++)
        if (strcmp(model_kinds[kind].name, model_text(command, "kind")) == 0)
            return &state->versions[kind];
    return NULL;
}

/* "file:12: ", and without a line for what the file does not hold. */
static void put_place(char text[300], const char *name, const json_t *command)
{
    json_int_t line = json_integer_value(json_object_get(command, "line"));
    if (line > 0)
        snprintf(text, 300, "%.250s:%lld", name, (long long)line);
    else
        snprintf(text, 300, "%.250s", name);
}

static enum err apply_one(struct client *client, const struct config_args *args,
                          struct model *state, const char *place, const json_t *command,
                          struct err_text *why)
{
    json_t *answer = NULL;
    const char *id = model_text(command, "id");
    json_t *versions = *versions_of(state, command);
    const json_t *version = json_object_get(versions, id);
    json_t *wish = json_pack("{s:s, s:O, s:I}", "verb", model_text(command, "verb"),
                             "body", json_object_get(command, "body"), "if_version",
                             json_integer_value(version));
    if (args->reason != NULL)
        json_object_set_new(wish, "reason", json_string(args->reason));
    enum err err = client_post(client, "/api/v1/commands", wish, &answer, why);
    json_decref(wish);
    if (err == ERR_OK)
        json_object_set(versions, id, json_object_get(answer, "version"));
    show_warnings(place, answer);
    json_decref(answer);
    return err;
}

static enum err apply(struct client *client, const struct config_args *args,
                      const char *name, struct model *state, const struct plan *plan,
                      size_t *applied, struct err_text *why)
{
    size_t count = json_array_size(plan->commands);
    for (*applied = 0; *applied < count; ++*applied) {
        struct err_text said = {""};
        char place[300];
        const json_t *command = json_array_get(plan->commands, *applied);
        put_place(place, name, command);
        enum err err = apply_one(client, args, state, place, command, &said);
        if (err == ERR_OK)
            continue;
        return err_set(
            why, err,
            say("%.120s: %s of '%.60s': %.200s (%zu of %zu commands are applied; "
                "import again for the rest)"),
            place, model_text(command, "verb"), model_text(command, "id"), said.text,
            *applied, count);
    }
    return ERR_OK;
}

/* What will be done, and whether to do it. */
static bool is_wanted(const struct config_args *args, const char *path,
                      const struct plan *plan, const struct model *state)
{
    char answer[16] = "";
    size_t count = json_array_size(plan->changes);
    if (!args->wants_json)
        plan_print(plan, state, stdout);
    fflush(stdout);
    if (args->is_dry_run || args->is_agreed)
        return args->is_agreed && !args->is_dry_run;
    if (strcmp(path, "-") == 0 || isatty(STDIN_FILENO) == 0)
        return false;
    fprintf(stderr, say("apply these changes (%zu)? [y/N] "), count);
    return fgets(answer, sizeof answer, stdin) != NULL &&
           (answer[0] == 'y' || answer[0] == 'Y');
}

static void report(const struct config_args *args, const struct plan *plan,
                   size_t applied)
{
    size_t changes = json_array_size(plan->changes);
    if (args->wants_json)
        show_json(json_pack("{s:O, s:I, s:I, s:b}", "changes", plan->changes, "commands",
                            (json_int_t)json_array_size(plan->commands), "applied",
                            (json_int_t)applied, "dry_run", args->is_dry_run));
    else if (changes == 0)
        puts(say("no difference"));
    else if (applied > 0)
        printf(say("changes applied: %zu\n"), changes);
}

static enum err carry_out(struct client *client, const struct config_args *args,
                          const char *path, struct model *state, const struct plan *plan,
                          struct err_text *why)
{
    size_t applied = 0;
    enum err err = ERR_OK;
    bool is_different = json_array_size(plan->changes) > 0;
    bool goes_on = is_different && is_wanted(args, path, plan, state);
    if (goes_on)
        err = apply(client, args, path, state, plan, &applied, why);
    report(args, plan, applied);
    if (is_different && !goes_on && !args->is_dry_run)
        return err_set(why, ERR_DENIED, say("nothing was changed; --yes applies it"));
    return err;
}

static enum err import(struct client *client, const struct config_args *args,
                       const char *path, struct err_text *why)
{
    struct model state = {0};
    struct model file = {0};
    struct plan plan = {0};
    struct buf text = {0};
    struct clock clock;
    const char *name = strcmp(path, "-") == 0 ? "stdin" : path;
    clock_init(&clock);
    enum err err = read_in(path, &text, why);
    if (err == ERR_OK)
        err = model_fetch(&state, client, why);
    if (err == ERR_OK)
        err = model_read(&file, &state, name, text.data, text.len, why);
    if (err == ERR_OK)
        err = plan_make(&plan, &state, &file, name, clock_wall_ms(&clock), why);
    if (err == ERR_OK)
        err = carry_out(client, args, path, &state, &plan, why);
    plan_fini(&plan);
    model_fini(&file);
    model_fini(&state);
    buf_fini(&text);
    return err;
}

/* ---- the command ------------------------------------------------------------------- */

static const struct {
    const char *name;
    enum err (*run)(struct client *client, const struct config_args *args,
                    const char *path, struct err_text *why);
} verbs[] = {
    {"export", export},
    {"import", import},
};

static int config_run(int argc, char **argv)
{
    struct config_args args = {0};
    struct err_text why = {""};
    struct client *client = NULL;
    size_t verb = 0;
    if (options_take(options, &args, &argc, argv, &why) != ERR_OK)
        return command_usage("config", "%s", why.text);
    while (argc > 1 && verb < 2 && strcmp(verbs[verb].name, argv[1]) != 0)
        verb++;
    if (argc < 2 || verb == 2)
        return command_usage("config", "say export or import, and a file");
    if (argc != 3)
        return command_usage("config", "name one file, or - for stdin or stdout");
    enum err err = client_open(&client, &args.client, &why);
    if (err == ERR_OK)
        err = verbs[verb].run(client, &args, argv[2], &why);
    client_close(client);
    return err == ERR_OK ? COMMAND_OK : command_fail("config", err, &why);
}

const struct command config_command = {
    .name = "config",
    .summary = "places, devices, placements and rules as one file: out of a collector, "
               "and into one",
    .verbs = "export import",
    .usage = "export FILE|- [options]\n"
             "import FILE|- [--dry-run|--yes] [--reason TEXT] [--json] [options]\n",
    .about =
        "export writes organisations, sites and vehicles, zones, devices, channels with "
        "their calibrations and probes, placements and rules, also what is archived, as "
        "one YAML file. People, passwords and tokens are not in it. The same contents "
        "give the same bytes.\n"
        "import shows what is different, field by field, asks, and applies it by the "
        "commands of 'coldchainctl do', each with the version that was looked at. What "
        "is the same is not written. A file that is cut or wrong is refused whole, with "
        "its line. An import that was interrupted is repeated, and does the rest.\n"
        "An entry that the file does not hold is archived; a rule is deleted, a "
        "placement ends now. A section that the file does not hold is left as it is. "
        "What has happened stays: organisations, calibrations, probes and replacements "
        "are added, never taken away.\n",
    .options = options,
    .examples = "coldchainctl config export collector.config.yaml\n"
                "coldchainctl config import collector.config.yaml --dry-run\n"
                "coldchainctl config import collector.config.yaml --yes --reason 'new "
                "season'\n"
                "coldchainctl config export - | ssh other coldchainctl config import - "
                "--yes\n",
    .statuses = "0 written, applied, shown, or no difference\n"
                "1 refused, not agreed to, or the API could not be asked\n"
                "2 wrong usage\n",
    .run = config_run,
};
