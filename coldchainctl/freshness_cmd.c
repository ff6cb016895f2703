// SPDX-License-Identifier: Apache-2.0
#include "coldchainctl/freshness_cmd.h"

#include <math.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/file.h"
#include "base/names.h"
#include "coldchainctl/commands.h"
#include "coldchainctl/options.h"

#define NUMBER(option, field, low, high, what, name_of, about) \
    { \
        .name = option, .type = OPTION_NUMBER, \
        .offset = offsetof(struct freshness_args, field), .least = low, .most = high, \
        .value = what, .arg = name_of, .help = about \
    }
#define TEXT(option, field, what, name_of, about) \
    { \
        .name = option, .type = OPTION_TEXT, \
        .offset = offsetof(struct freshness_args, field), .value = what, .arg = name_of, \
        .help = about \
    }
#define FLAG(option, field, about) \
    { \
        .name = option, .type = OPTION_FLAG, \
        .offset = offsetof(struct freshness_args, field), .help = about \
    }

static const struct option options[] = {
    TEXT("profile", profile, "a profile", "P",
         "a built-in profile, or the path of a profile file"),
    TEXT("compare", compare, "profiles, joined by commas", "P1,P2",
         "several of them, side by side"),
    NUMBER("constant", constant, LOAD_COLDEST_C, LOAD_HOTTEST_C, "a temperature in C",
           "C", "life of fresh goods at this temperature"),
    NUMBER("humidity", humidity, 0, 100, "a relative humidity in %", "RH",
           "of the air there, in %: dew point, vapour deficit, water loss"),
    TEXT("csv", csv, "a file", "FILE", "life along a recorded history"),
    TEXT(
        "columns", columns, "time=COLUMN,temperature=COLUMN[,humidity=COLUMN]", "MAP",
        "time=NAME[@iso|s|ms|utc|+08:00],temperature=NAME[@C|F|K], humidity=NAME, pulp=NAME; #3 is the third column"),
    NUMBER(
        "at", at, LOAD_COLDEST_C, LOAD_HOTTEST_C, "a temperature in C", "C",
        "state the life left at this temperature (default: where the profile's life is published)"),
    TEXT("life", life, "DAYS@C, e.g. 21@5", "DAYS@C",
         "a life of your own instead of the published one"),
    FLAG("air", is_air, "temperatures are of the air: simulate the goods by thermal.tau"),
    NUMBER("tau", tau, 0.01, 1000, "a time constant in hours", "HOURS",
           "the same with this time constant"),
    NUMBER("pulp", pulp, LOAD_COLDEST_C, LOAD_HOTTEST_C, "a temperature in C", "C",
           "temperature in the goods at the first row (implies --air)"),
    NUMBER("pulp-error", pulp_error, 0, 10, "an error in C", "C", "of pulp probes (0.5)"),
    NUMBER("hold", hold_min, 0.1, 1440, "minutes", "MINUTES",
           "how long a reading holds; beyond it is a gap (15)"),
    NUMBER("every", every_h, 0.01, 8760, "hours", "HOURS",
           "distance of the points along the history"),
    NUMBER("mkt", mkt_h, 1, 8760, "hours", "HOURS",
           "mean kinetic temperature, and its worst window of this length"),
    TEXT("plot", plot, "a file ending in .svg or .png", "FILE", "draw it, .svg or .png"),
    FLAG("json", wants_json, "machine-readable"),
    FLAG("markdown", wants_markdown, "accuracy: as a table of Markdown"),
    {.name = NULL},
};

json_t *freshness_number(double value)
{
    return isfinite(value) ? json_real(value) : json_null();
}

json_t *freshness_span(const struct life_span *span)
{
    json_t *object = json_object();
    json_object_set_new(object, "low", freshness_number(span->low));
    json_object_set_new(object, "mid", freshness_number(span->mid));
    json_object_set_new(object, "high", freshness_number(span->high));
    return object;
}

void freshness_print_json(json_t *value)
{
    json_dumpf(value, stdout, JSON_INDENT(2));
    putchar('\n');
    json_decref(value);
}

const char *freshness_text(char text[32], double value, int decimals)
{
    if (isnan(value))
        snprintf(text, 32, "-");
    else if (isinf(value))
        snprintf(text, 32, "none");
    else
        snprintf(text, 32, "%.*f", decimals, value);
    return text;
}

const char *freshness_range(char text[80], double low, double high, int decimals)
{
    char a[32], b[32];
    if (isinf(low))
        snprintf(text, 80, "no end");
    else if (isnan(low))
        snprintf(text, 80, "up to %s", freshness_text(b, high, decimals));
    else if (isinf(high) || isnan(high))
        snprintf(text, 80, "%s or more", freshness_text(a, low, decimals));
    else
        snprintf(text, 80, "%s to %s", freshness_text(a, low, decimals),
                 freshness_text(b, high, decimals));
    return text;
}

enum err freshness_load_options(const struct freshness_args *args,
                                struct load_options *load, struct err_text *why)
{
    *load = (struct load_options){
        .is_air = args->is_air || !isnan(args->tau) || !isnan(args->pulp),
        .tau_h = isnan(args->tau) ? 0 : args->tau,
        .hold_ms = isnan(args->hold_min) ? 0 : llround(args->hold_min * 60000),
        .pulp_error = args->pulp_error,
    };
    if (args->life == NULL)
        return ERR_OK;
    char *end = NULL;
    load->life_days = strtod(args->life, &end);
    const char *at = *end == '@' ? end + 1 : "";
    load->life_at_c = strtod(at, &end);
    if (end == at || *end != '\0' || !(load->life_days > 0 && load->life_days <= 3650) ||
        !(load->life_at_c >= LOAD_COLDEST_C && load->life_at_c <= KINETICS_CAP_C))
        return err_set(why, ERR_INVALID,
                       "--life takes DAYS@C, e.g. 21@5 for 21 days at 5 C, not '%.40s'",
                       args->life);
    return ERR_OK;
}

static enum err not_found(const struct profile_set *set, const char *name,
                          struct err_text *why)
{
    struct names_near near;
    names_near_init(&near, name);
    for (size_t i = 0; i < profile_set_count(set); i++) {
        const char *id = profile_set_get(set, i)->id;
        names_near_offer(&near, id, strlen(id));
    }
    if (near.best != NULL)
        return err_set(why, ERR_NOT_FOUND,
                       "there is no profile '%.60s'; did you mean '%s'?", name,
                       near.best);
    return err_set(
        why, ERR_NOT_FOUND,
        "there is no profile '%.60s'; 'coldchainctl freshness profiles' lists them, "
        "a file is given by its path",
        name);
}

enum err freshness_find(struct freshness_args *args, const char *name,
                        const struct profile **profile, struct err_text *why)
{
    size_t len = strlen(name);
    bool is_path =
        strchr(name, '/') != NULL || (len > 5 && strcmp(name + len - 5, ".json") == 0);
    if (!is_path) {
        *profile = profile_set_find(args->set, name);
        return *profile != NULL ? ERR_OK : not_found(args->set, name, why);
    }
    struct buf text = {0};
    struct err_text inner = {""};
    enum err err = file_read(&text, name, PROFILE_TEXT_MAX, why);
    if (err == ERR_OK) {
        err = profile_set_add(args->set, text.data != NULL ? text.data : "", text.len,
                              profile, &inner);
        if (err != ERR_OK)
            err = err_set(why, err, "%.200s: %.300s", name, inner.text);
    }
    buf_fini(&text);
    return err;
}

/* The names of --profile or --compare into args->profiles. */
static enum err find_profiles(struct freshness_args *args, struct err_text *why)
{
    const char *names = args->compare != NULL ? args->compare : args->profile;
    while (*names != '\0') {
        char name[1024];
        size_t len = args->compare != NULL ? strcspn(names, ",") : strlen(names);
        if (len >= sizeof name || args->profile_count == FRESHNESS_COMPARED_MAX)
            return err_set(why, ERR_LIMIT, "at most %d profiles are compared",
                           FRESHNESS_COMPARED_MAX);
        memcpy(name, names, len);
        name[len] = '\0';
        enum err err =
            freshness_find(args, name, &args->profiles[args->profile_count], why);
        if (err != ERR_OK)
            return err;
        args->profile_count++;
        names += len + (names[len] == ',');
    }
    return args->profile_count > 0 ? ERR_OK
                                   : err_set(why, ERR_INVALID, "no profile is named");
}

static int run_model(struct freshness_args *args)
{
    struct err_text why = {""};
    if ((args->profile == NULL) == (args->compare == NULL))
        return command_usage("freshness", "give one of --profile P and --compare P1,P2");
    if (isnan(args->constant) == (args->csv == NULL))
        return command_usage("freshness", "give one of --constant C and --csv FILE");
    if (args->csv != NULL && args->columns == NULL)
        return command_usage("freshness", "--csv needs --columns, e.g. --columns "
                                          "time=Timestamp,temperature=Temperature");
    if (args->plot != NULL && args->csv == NULL)
        return command_usage("freshness", "--plot needs --csv");
    enum err err = find_profiles(args, &why);
    if (err != ERR_OK)
        return command_fail("freshness", err, &why);
    return args->csv != NULL ? freshness_history(args) : freshness_constant(args);
}

static int run_words(struct freshness_args *args, int argc, char **argv)
{
    if (argc == 1)
        return run_model(args);
    if (strcmp(argv[1], "profiles") == 0 && argc == 2)
        return freshness_profiles(args);
    if (strcmp(argv[1], "profile") == 0 && argc == 4 && strcmp(argv[2], "show") == 0)
        return freshness_profile_show(args, argv[3]);
    if (strcmp(argv[1], "lint") == 0 && argc > 2)
        return freshness_lint(args, argv + 2, argc - 2);
    if (strcmp(argv[1], "accuracy") == 0 && argc == 2)
        return freshness_accuracy(args);
    return command_usage("freshness",
                         "'%s' is not profiles, profile show P, lint FILE... or "
                         "accuracy",
                         argv[1]);
}

static int freshness_run(int argc, char **argv)
{
    const double none = (double)NAN;
    struct freshness_args args = {.constant = none,
                                  .humidity = none,
                                  .at = none,
                                  .tau = none,
                                  .pulp = none,
                                  .pulp_error = 0.5,
                                  .hold_min = none};
    struct err_text why = {""};
    if (argc < 2)
        return command_usage("freshness", "nothing was asked");
    if (options_take(options, &args, &argc, argv, &why) != ERR_OK)
        return command_usage("freshness", "%s", why.text);
    args.set = profile_set_create();
    int status = run_words(&args, argc, argv);
    profile_set_destroy(args.set);
    return status;
}

const struct command freshness_command = {
    .name = "freshness",
    .summary = "shelf life of produce at a temperature or along a record",
    .verbs = "profiles profile lint accuracy",
    .usage = "--profile P --constant C [--humidity RH]\n"
             "--profile P --csv FILE --columns time=..,temperature=..\n"
             "--compare P1,P2 (--constant C | --csv FILE --columns ..)\n"
             "profiles | profile show P | lint FILE... | accuracy\n",
    .about = "How much life produce has left, as a range, and what limits it. No "
             "daemon is needed. P is a built-in profile or the path of a profile file.\n",
    .options = options,
    .examples =
        "coldchainctl freshness profiles\n"
        "coldchainctl freshness profile show wushan_crisp_plum\n"
        "coldchainctl freshness --profile fengjie_navel_orange --constant 8 --humidity 92\n"
        "coldchainctl freshness --compare plum,peach,cherry_sweet --constant 4\n"
        "coldchainctl freshness --profile tongnan_lemon --csv van.csv --air --pulp 24 \\\n"
        "    --columns 'time=Time@+08:00,temperature=T,humidity=RH' --plot van.svg\n"
        "coldchainctl freshness --profile fish_fresh --life 21@5 --constant 0\n"
        "coldchainctl freshness lint my-plum.json\n",
    .statuses = "0 a life was stated (lint: no errors)\n"
                "1 none can be stated or an error\n"
                "2 wrong usage\n",
    .run = freshness_run,
};
