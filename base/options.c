// SPDX-License-Identifier: Apache-2.0
#include "base/options.h"

#include <assert.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/manual.h"
#include "base/roff.h"

struct row {
    const char *name;
    const char *arg; /* NULL: a flag */
    const char *help;
    bool (*take)(struct options *options, const char *value);
};

static bool take_config(struct options *options, const char *value)
{
    options->config_path = value;
    options->is_config_given = true;
    return true;
}

static bool take_check(struct options *options, const char *value)
{
    (void)value;
    options->check_only = true;
    return true;
}

static bool take_print(struct options *options, const char *value)
{
    (void)value;
    options->print_config = true;
    return true;
}

static bool take_man(struct options *options, const char *value)
{
    options->man_page = value;
    return strcmp(value, "program") == 0 || strcmp(value, "config") == 0;
}

static bool take_extra(struct options *options, const char *value)
{
    (void)value;
    options->extra = true;
    return true;
}

static bool take_log_level(struct options *options, const char *value)
{
    static const char *const names[] = {"error", "warn", "info", "debug"};
    (void)options;
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        if (strcmp(value, names[i]) == 0) {
            log_set_level((enum log_level)i);
            return true;
        }
    }
    return false;
}

static bool take_simulated(struct options *options, const char *value)
{
    (void)value;
    options->is_simulated = true;
    return true;
}

static bool read_number(double *number, const char *value)
{
    char *end;
    *number = strtod(value, &end);
    return end != value && *end == '\0' && isfinite(*number);
}

static bool read_ms(int64_t *ms, const char *value)
{
    char *end;
    long long number = strtoll(value, &end, 10);
    *ms = number;
    return end != value && *end == '\0' && number >= 0;
}

static bool take_origin(struct options *options, const char *value)
{
    return read_ms(&options->clock_origin_ms, value);
}

static bool take_real(struct options *options, const char *value)
{
    return read_ms(&options->clock_real_ms, value);
}

static bool take_rate(struct options *options, const char *value)
{
    return read_number(&options->clock_rate, value) && options->clock_rate > 0.0;
}

static bool take_set(struct options *options, const char *value)
{
    return read_ms(&options->clock_set_ms, value);
}

static const struct row rows[] = {
    {"config", "FILE", "settings; the same as FILE alone", take_config},
    {"check", NULL, "read the settings, say what is wrong with them, and end",
     take_check},
    {"print-config", NULL, "print all settings in force with their meaning, and end",
     take_print},
    {"man", "PAGE", "print the manual page of the program or of its config, and end",
     take_man},
    {"log-level", "LEVEL", "error, warn, info or debug", take_log_level},
    {"simulated", NULL, "this is a simulation: allows the virtual clock", take_simulated},
    {"clock-origin", "MS", "virtual wall time at the real time below", take_origin},
    {"clock-real", "MS", "CLOCK_BOOTTIME of the origin", take_real},
    {"clock-rate", "N", "virtual milliseconds per real one", take_rate},
    {"clock-set", "MS", "CLOCK_BOOTTIME at which it is set; before, it is in 1970",
     take_set},
};

static void print_row(const char *name, const char *arg, const char *help)
{
    char left[64];
    snprintf(left, sizeof left, "--%s%s%s", name, arg != NULL ? " " : "",
             arg != NULL ? arg : "");
    printf("  %-20s %s\n", left, help);
}

static void print_help(const struct options *options)
{
    printf("%s - %s\n\nusage: %s [options] [FILE]\n\n", options->program, options->about,
           options->program);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        print_row(rows[i].name, rows[i].arg, rows[i].help);
    if (options->extra_name != NULL)
        print_row(options->extra_name, NULL, options->extra_help);
    print_row("version", NULL, "print the version, and end");
    print_row("help", NULL, "this text");
    printf("\nexamples:\n%s", options->examples);
}

static void man_row(const char *name, const char *arg, const char *help)
{
    fputs(".TP\n\\fB\\-\\-", stdout);
    roff_put(stdout, name);
    printf("\\fR%s\\fI%s\\fR\n", arg != NULL ? " " : "", arg != NULL ? arg : "");
    roff_put(stdout, help);
    putchar('\n');
}

static void print_man(const struct options *options)
{
    roff_begin(stdout, options->program, 1, options->about);
    printf(".SH SYNOPSIS\n.B %s\n[options] [FILE]\n.SH OPTIONS\n", options->program);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        man_row(rows[i].name, rows[i].arg, rows[i].help);
    if (options->extra_name != NULL)
        man_row(options->extra_name, NULL, options->extra_help);
    man_row("version", NULL, "print the version, and end");
    man_row("help", NULL, "a summary of this page");
    fputs(".SH EXAMPLES\n.nf\n", stdout);
    roff_put(stdout, options->examples);
    fputs(".fi\n.SH EXIT STATUS\n.TP\n0\nended as it was told to\n.TP\n1\nwrong usage or "
          "settings, or it could not go on; standard error says why\n"
          ".SH FILES\n",
          stdout);
    roff_put(stdout, options->config_path);
    printf("\n.SH SEE ALSO\n.BR %s.yaml (5),\n.BR coldchainctl (1)\n", options->program);
}

static const struct row *find_row(const struct options *options, const char *name,
                                  size_t len)
{
    static struct row extra;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        if (strlen(rows[i].name) == len && strncmp(rows[i].name, name, len) == 0)
            return &rows[i];
    if (options->extra_name == NULL || strlen(options->extra_name) != len ||
        strncmp(options->extra_name, name, len) != 0)
        return NULL;
    extra = (struct row){.name = options->extra_name, .take = take_extra};
    return &extra;
}

/* "--name VALUE", "--name=VALUE", "--flag". Advances *index past what it used. */
static bool take_one(struct options *options, int argc, const char *const *argv,
                     int *index)
{
    const char *word = argv[*index];
    if (word[0] != '-' && word[0] != '\0')
        return take_config(options, word);
    const char *name = strncmp(word, "--", 2) == 0 ? word + 2 : "";
    size_t len = strcspn(name, "=");
    const struct row *row = find_row(options, name, len);
    if (row == NULL) {
        fprintf(stderr, "%s: unknown option '%s'; see --help\n", options->program, word);
        return false;
    }
    const char *value = name[len] == '=' ? name + len + 1 : NULL;
    if (row->arg != NULL && value == NULL && *index + 1 < argc)
        value = argv[++*index];
    if ((row->arg != NULL) != (value != NULL) || !row->take(options, value)) {
        fprintf(stderr, "%s: --%s wants %s; see --help\n", options->program, row->name,
                row->arg != NULL ? row->arg : "no value");
        return false;
    }
    return true;
}

static bool is_sound(const struct options *options)
{
    bool wants_virtual = options->clock_rate > 0.0 || options->clock_origin_ms > 0 ||
                         options->clock_set_ms > 0;
    if (!wants_virtual)
        return true;
    if (!options->is_simulated)
        fprintf(stderr,
                "%s: the virtual clock needs --simulated: readings would be dated "
                "wrongly\n",
                options->program);
    else if (options->clock_rate <= 0.0 || options->clock_origin_ms <= 0 ||
             options->clock_real_ms <= 0)
        fprintf(stderr, "%s: --clock-origin, --clock-real and --clock-rate go together\n",
                options->program);
    else
        return true;
    return false;
}

enum options_result options_parse(struct options *options, int argc,
                                  const char *const *argv)
{
    assert(options->program != NULL && options->examples != NULL);
    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--help") == 0) {
            print_help(options);
            return OPTIONS_DONE;
        }
        if (strcmp(argv[i], "--version") == 0) {
            printf("%s %s\n", options->program, COLDCHAIN_VERSION);
            return OPTIONS_DONE;
        }
        if (!take_one(options, argc, argv, &i))
            return OPTIONS_WRONG;
    }
    if (options->man_page != NULL && strcmp(options->man_page, "program") == 0) {
        print_man(options);
        return OPTIONS_DONE;
    }
    return is_sound(options) ? OPTIONS_RUN : OPTIONS_WRONG;
}

static void print_settings(const struct config *config)
{
    struct buf text = {0};
    config_print(config, &text);
    fwrite(text.data, 1, text.len, stdout);
    buf_fini(&text);
}

static void tell_warnings(const struct config *config)
{
    const char *line = config->warnings_count > 0 ? config->warnings.data : "";
    while (*line != '\0') {
        int len = (int)strcspn(line, "\n");
        log_warn("%.*s", len, line);
        line += len + (line[len] == '\n');
    }
    if (config->warnings_count > CONFIG_PROBLEMS_MAX)
        log_warn("%s: and %zu more such warnings", config->path,
                 config->warnings_count - CONFIG_PROBLEMS_MAX);
}

enum options_result options_load(const struct options *options, struct config *config,
                                 const struct config_schema *schema, void *settings)
{
    struct err_text why;
    if (options->man_page != NULL) {
        manual_config(stdout, options->program, schema);
        return OPTIONS_DONE;
    }
    enum err err = config_load(config, schema, settings, options->config_path, &why);
    if (err == ERR_NOT_FOUND && options->print_config && !options->is_config_given) {
        config_fini(config);
        config_defaults(config, schema, settings);
    } else if (err != ERR_OK) {
        if (config->problems_count > 0)
            fprintf(stderr, "%s", config->problems.data);
        else
            fprintf(stderr, "%s: %s; see --config\n", options->program, why.text);
        return OPTIONS_WRONG;
    }
    tell_warnings(config);
    if (config->exposed != NULL)
        log_warn("everybody can read the secrets in %s; chmod o-r it", config->exposed);
    if (options->print_config)
        print_settings(config);
    else if (options->check_only)
        printf("%s: in order\n", options->config_path);
    return options->print_config || options->check_only ? OPTIONS_DONE : OPTIONS_RUN;
}

void options_clock(const struct options *options, struct clock *clock)
{
    if (options->clock_rate > 0.0)
        clock_init_virtual(clock, options->clock_origin_ms, options->clock_real_ms,
                           options->clock_rate);
    else
        clock_init(clock);
    if (options->clock_set_ms > 0)
        clock_set_late(clock, options->clock_set_ms);
}
