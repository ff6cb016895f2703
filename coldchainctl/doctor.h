// SPDX-License-Identifier: Apache-2.0
/*
 * doctor - what is looked at, and what was found: one finding a line.
 *
 * Each doctor_look_...() adds findings and fails never: what cannot be looked at is a
 * finding, too. Nothing is changed by looking, and nobody's connection is ended. One
 * thread.
 */
#ifndef COLDCHAIN_COLDCHAINCTL_DOCTOR_H
#define COLDCHAIN_COLDCHAINCTL_DOCTOR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <jansson.h>

#include "coldchainctl/client.h"
#include "collector/config.h"

#define DOCTOR_DAY_MS ((int64_t)86400000)

enum doctor_level {
    DOCTOR_OK,
    DOCTOR_WARNING,
    DOCTOR_PROBLEM,
};

struct finding {
    enum doctor_level level;
    const char *area; /* static */
    char *seen;       /* owned */
    const char *todo; /* static, in English; NULL: nothing */
};

struct doctor {
    /* what there is to look at */
    const struct settings *settings; /* NULL: no configuration is at hand */
    struct client *client;           /* NULL: the API is not to be asked */
    const char *agent_file;          /* configuration of an agent here; NULL: none */
    bool is_local;                   /* the collector need not run */
    bool is_for_programs;            /* English, whatever the language is */
    int64_t now_ms;
    int64_t timeout_ms; /* of each question over the network */
    int64_t silent_ms;  /* a device that says nothing for so long is silent */

    /* what doctor_look_collector() saw */
    bool is_answering; /* the API, with this token */
    bool is_running;   /* a collector is at work, whether its API answers or not */
    json_t *status;    /* of /api/v1/status; NULL without an answer */

    struct finding *findings;
    size_t count;
    size_t capacity;
};

void doctor_fini(struct doctor *doctor);

/* The text in the language that findings are told in, by the dictionary. */
const char *doctor_text(const struct doctor *doctor, const char *english)
    __attribute__((format_arg(2)));

/* Adds a finding; `todo` says what a person is to do about it. Both are English. */
void doctor_say(struct doctor *doctor, enum doctor_level level, const char *area,
                const char *todo, const char *fmt, ...)
    __attribute__((format(printf, 5, 6)));

void doctor_look_collector(struct doctor *doctor); /* first: others ask what it saw */
void doctor_look_broker(struct doctor *doctor);
void doctor_look_clock(struct doctor *doctor);
void doctor_look_disk(struct doctor *doctor);
void doctor_look_certificates(struct doctor *doctor);
void doctor_look_sinks(struct doctor *doctor);
void doctor_look_stores(struct doctor *doctor);
void doctor_look_journal(struct doctor *doctor);
void doctor_look_devices(struct doctor *doctor);
void doctor_look_alarms(struct doctor *doctor);
void doctor_look_siren(struct doctor *doctor);
void doctor_look_rules(struct doctor *doctor);

/* What several of them look at; `where`, `area` are static. */
/* A program that is to be run: there, executable, by nobody to be replaced. */
void doctor_look_program(struct doctor *doctor, const char *where, const char *what,
                         const char *path);
/* Any answer will do; nothing is asked for that changes anything. */
void doctor_look_url(struct doctor *doctor, const char *area, const char *name,
                     const char *method, const char *url, const char *ca_file);

/* "12.3 GiB", "480 KiB". Returns text. */
const char *doctor_size(char text[32], double bytes);
/* "3 h", "12 days" of a time that is not negative. Returns text. */
const char *doctor_span(const struct doctor *doctor, char text[32], int64_t ms);

#endif
