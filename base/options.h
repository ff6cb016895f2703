// SPDX-License-Identifier: Apache-2.0
/*
 * options - the command line of a daemon: the same for all of them, from one table.
 *
 * --config FILE, --check, --print-config, --man PAGE, --log-level, --simulated with the
 * three numbers of a virtual clock, --version, --help. Called once, before threads are
 * made.
 */
#ifndef COLDCHAIN_BASE_OPTIONS_H
#define COLDCHAIN_BASE_OPTIONS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/clock.h"
#include "base/config.h"

struct options {
    /* of the program, set by the caller */
    const char *program;
    const char *about;    /* one line */
    const char *examples; /* lines, each ends with \n */
    /* one option of the program's own, without "--"; NULL: none */
    const char *extra_name;
    const char *extra_help;

    /* what was asked for */
    const char *config_path; /* the caller's default unless it was given */
    bool is_config_given;
    bool check_only;
    bool print_config;
    const char *man_page; /* "program" or "config"; NULL: not asked for */
    bool extra;
    bool is_simulated;
    int64_t clock_origin_ms;
    int64_t clock_real_ms;
    double clock_rate;
    int64_t clock_set_ms; /* 0: it is never unset */
};

enum options_result {
    OPTIONS_RUN,
    OPTIONS_DONE,  /* --help, --version, --check or --print-config was answered */
    OPTIONS_WRONG, /* said on stderr */
};

enum options_result options_parse(struct options *options, int argc,
                                  const char *const *argv);

/*
 * Reads the settings, and answers --check and --print-config on stdout. What is wrong
 * goes to stderr, all of it. Without a file at the default path --print-config prints the
 * fallbacks, from which a first file can be made. Warns when secrets stand where every
 * user of the machine can read them. The caller runs config_fini in any case.
 */
enum options_result options_load(const struct options *options, struct config *config,
                                 const struct config_schema *schema, void *settings);

/* The clock that was asked for. */
void options_clock(const struct options *options, struct clock *clock);

#endif
