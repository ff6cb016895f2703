// SPDX-License-Identifier: Apache-2.0
/*
 * routes - the table of all routes, and the handlers that it names.
 *
 * A handler reads its call and answers it; who may call it, and what stands behind '?',
 * is checked before by what the table says. Only the files of the API include it.
 */
#ifndef COLDCHAIN_COLLECTOR_API_ROUTES_H
#define COLDCHAIN_COLLECTOR_API_ROUTES_H

#include "collector/api/internal.h"

/*
 * One route. ROUTE() takes all of it, so that none is forgotten; a set of roles that is
 * empty does not compile, and what is not declared is denied (access.h).
 */
struct api_route {
    const char *method;
    const char *pattern;
    struct access_need need;
    const char *params; /* what may stand behind '?', each once, joined by spaces */
    void (*handle)(struct api_call *call);
    const char *help;
    const char *verb; /* of a route that changes something; see collector/command */
};

/* `roles` itself, or an error of the compiler when it is 0. */
#define API_ROLES(roles) ((roles) + 0 * sizeof(char[(roles) != 0 ? 1 : -1]))
#define ROUTE(method_, pattern_, roles_, scope_, tenant_, params_, handle_, help_) \
    { \
        .method = (method_), .pattern = (pattern_), \
        .need = {.roles = (unsigned)API_ROLES(roles_), \
                 .scope = ACCESS_SCOPE_##scope_, \
                 .tenant = ACCESS_TENANT_##tenant_}, \
        .params = (params_), .handle = (handle_), .help = (help_), \
    }

/* One that changes something by a verb. */
#define ROUTE_VERB(method_, pattern_, roles_, scope_, tenant_, verb_, help_) \
    { \
        .method = (method_), .pattern = (pattern_), \
        .need = {.roles = (unsigned)API_ROLES(roles_), \
                 .scope = ACCESS_SCOPE_##scope_, \
                 .tenant = ACCESS_TENANT_##tenant_}, \
        .params = "", .handle = api_run_verb, .help = (help_), .verb = (verb_), \
    }

/* The whole interface, in plain sight; ends with a NULL method. */
extern const struct api_route api_routes[];

/* setup.c */
void api_get_setup(struct api_call *call);
void api_set_up(struct api_call *call);

/* session.c */
void api_sign_in(struct api_call *call);
void api_sign_out(struct api_call *call);
void api_get_me(struct api_call *call);

/* people.c */
void api_get_people(struct api_call *call);
void api_get_tokens(struct api_call *call);
void api_get_grants(struct api_call *call);
void api_end_own_sessions(struct api_call *call);
void api_change_own_password(struct api_call *call);

/* commands.c */
/* Of a route that names its verb. */
void api_run_verb(struct api_call *call);
void api_post_command(struct api_call *call);
void api_get_verbs(struct api_call *call);
void api_get_entity(struct api_call *call);
void api_get_channel(struct api_call *call);
void api_get_entities(struct api_call *call);
void api_get_audit(struct api_call *call);
void api_verify_audit(struct api_call *call);

/* ack.c */
void api_get_ack(struct api_call *call);
void api_acknowledge_by_link(struct api_call *call);

/* replies.c */
void api_take_reply(struct api_call *call);

/* incidents.c */
void api_get_incidents(struct api_call *call);
void api_get_incident(struct api_call *call);
void api_get_quarantine(struct api_call *call);
void api_get_outbox(struct api_call *call);
void api_get_sinks(struct api_call *call);

/* suppressions.c */
void api_get_suppressions(struct api_call *call);

/* zone_rules.c */
void api_get_zone_rules(struct api_call *call);

/* readings.c */
void api_get_readings(struct api_call *call);
void api_get_zone_readings(struct api_call *call);

/* series.c */
void api_get_series(struct api_call *call);
void api_get_zone_series(struct api_call *call);

/* stream.c */
void api_get_stream(struct api_call *call);

/* upkeep.c */
void api_begin_backup(struct api_call *call);
void api_read_backup(struct api_call *call);
void api_end_backup(struct api_call *call);
void api_take_pack(struct api_call *call);

#endif
