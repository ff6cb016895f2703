// SPDX-License-Identifier: Apache-2.0
/*
 * access - who may do what, and what of it they see. Pure: time is a parameter.
 *
 * Two questions are asked of every request. May somebody of this role use this route at
 * all: access_route(). And which places may this one see, and when: access_windows(). An
 * organisation that is not the caller's does not exist for the caller: the answer is "not
 * found", the same as for a name that nobody ever used. What is not declared is denied.
 */
#ifndef COLDCHAIN_COLLECTOR_ACCESS_ACCESS_H
#define COLDCHAIN_COLLECTOR_ACCESS_ACCESS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "telemetry/reading.h"

/* The role of a caller. Somebody without credentials has the first one. */
#define ACCESS_ROLE_LIST(X) \
    X(ANONYMOUS, "anonymous") \
    X(ADMIN, "admin") \
    X(OPERATOR, "operator") \
    X(VIEWER, "viewer") \
    X(INTEGRATOR, "integrator") \
    X(SHARE, "share") \
    X(HANDOVER, "handover") \
    X(SETUP, "setup")

enum access_role {
#define X(name, text) ACCESS_ROLE_##name,
    ACCESS_ROLE_LIST(X)
#undef X
        ACCESS_ROLE_COUNT,
};

/* Sets of roles, as routes and commands declare them. 0 lets nobody in. */
#define ACCESS_ANONYMOUS  (1u << ACCESS_ROLE_ANONYMOUS)
#define ACCESS_ADMIN      (1u << ACCESS_ROLE_ADMIN)
#define ACCESS_OPERATOR   (1u << ACCESS_ROLE_OPERATOR)
#define ACCESS_VIEWER     (1u << ACCESS_ROLE_VIEWER)
#define ACCESS_INTEGRATOR (1u << ACCESS_ROLE_INTEGRATOR)
#define ACCESS_SHARE      (1u << ACCESS_ROLE_SHARE)
#define ACCESS_HANDOVER   (1u << ACCESS_ROLE_HANDOVER)
#define ACCESS_SETUP      (1u << ACCESS_ROLE_SETUP)
#define ACCESS_ANYONE     ((1u << ACCESS_ROLE_COUNT) - 1u)
#define ACCESS_PEOPLE     (ACCESS_ADMIN | ACCESS_OPERATOR | ACCESS_VIEWER)
#define ACCESS_STAFF      (ACCESS_ADMIN | ACCESS_OPERATOR)

/* What an integrator's token is for; a route names the one it asks for. */
#define ACCESS_SCOPE_LIST(X) \
    X(READ, "read") \
    X(INCIDENTS, "incidents") \
    X(REGISTRY, "registry") \
    X(METRICS, "metrics")

enum access_scope_index {
#define X(name, text) ACCESS_SCOPE_INDEX_##name,
    ACCESS_SCOPE_LIST(X)
#undef X
        ACCESS_SCOPE_COUNT,
};

#define ACCESS_SCOPE_NONE      0u /* no token of an integrator is let in */
#define ACCESS_SCOPE_READ      (1u << ACCESS_SCOPE_INDEX_READ)
#define ACCESS_SCOPE_INCIDENTS (1u << ACCESS_SCOPE_INDEX_INCIDENTS)
#define ACCESS_SCOPE_REGISTRY  (1u << ACCESS_SCOPE_INDEX_REGISTRY)
#define ACCESS_SCOPE_METRICS   (1u << ACCESS_SCOPE_INDEX_METRICS)

/* How a route keeps organisations apart. */
#define ACCESS_TENANT_LIST(X) \
    X(UNDECLARED, "undeclared") /* denied */ \
    X(NONE, "says nothing about organisations") \
    X(WHOLE, "only for callers of the whole installation") \
    X(SELF, "only about the caller") \
    X(LIST, "lists only what the caller sees") \
    X(ORG, "the first name is an organisation the caller sees") \
    X(DEVICE, "the names are a device the caller sees") \
    X(SITE, "the first name is a site the caller sees") \
    X(ZONE, "the first name is a zone the caller sees") \
    X(INCIDENT, "the first name is an incident in a zone the caller sees") \
    X(COMMAND, "what the command names must be what the caller may change")

enum access_tenant {
#define X(name, text) ACCESS_TENANT_##name,
    ACCESS_TENANT_LIST(X)
#undef X
        ACCESS_TENANT_COUNT,
};

const char *access_role_name(enum access_role role);
bool access_role_parse(enum access_role *role, const char *text);
/* Of a set with one bit. */
const char *access_scope_name(unsigned scope);
/* Names joined by spaces or commas; false when one of them is none. */
bool access_scopes_parse(unsigned *scopes, const char *text);
const char *access_tenant_text(enum access_tenant tenant);

/* [from, to) */
struct access_window {
    int64_t from_ms;
    int64_t to_ms;
};

/* A zone of somebody else's that may be seen for some time, such as a shipment's leg. */
struct access_grant {
    char zone[ID_SIZE];
    struct access_window window;
};

enum principal_kind {
    PRINCIPAL_NOBODY,
    PRINCIPAL_PERSON,   /* through a session */
    PRINCIPAL_TOKEN,    /* of a program */
    PRINCIPAL_SHARE,    /* whoever holds a link */
    PRINCIPAL_HANDOVER, /* a driver, once */
    PRINCIPAL_SETUP,    /* who makes the first admin */
};

#define PRINCIPAL_CREDENTIAL_SIZE 65 /* a hash in hex, and NUL */

/* Who asks. Zeroed: nobody, who may use what is open to anyone. */
struct principal {
    enum principal_kind kind;
    enum access_role role;
    char id[ID_SIZE];                           /* what the audit names */
    char org[ID_SIZE];                          /* "": the whole installation */
    unsigned scopes;                            /* of an integrator */
    int64_t expires_ms;                         /* of its credential; 0: never */
    char credential[PRINCIPAL_CREDENTIAL_SIZE]; /* hash of the token or the session */
    char (*sites)[ID_SIZE]; /* of an operator; none: all of the organisation */
    size_t site_count;
    struct access_grant *grants;
    size_t grant_count;
};

/* Frees sites and grants; what is left is nobody. */
void principal_fini(struct principal *principal);
void principal_add_site(struct principal *principal, const char *site);
void principal_add_grant(struct principal *principal, const struct access_grant *grant);

/* What a route or a command asks for. */
struct access_need {
    unsigned roles; /* ACCESS_...; 0: denied */
    unsigned scope; /* that an integrator's token must hold; 0: none is let in */
    enum access_tenant tenant;
};

enum access_answer {
    ACCESS_ALLOW,
    ACCESS_LOGIN, /* 401: who are you? */
    ACCESS_DENY,  /* 403: not your role */
    ACCESS_HIDE,  /* 404: there is nothing of that name for you */
};

/*
 * Whether the caller may use the route at all. `org` is the organisation that its address
 * names, NULL when it names none. What a ZONE, SITE, DEVICE or INCIDENT is must be asked
 * of access_sees_place() besides.
 */
enum access_answer access_route(const struct principal *principal,
                                const struct access_need *need, const char *org);

/* Whose and where something is; texts are borrowed, "" when there is none. */
struct access_place {
    const char *org;
    const char *site;
    const char *zone;
};

/* Whether the organisation exists for the caller. */
bool access_sees_org(const struct principal *principal, const char *org);
/* Whether the caller sees the place because it is his own, whenever. */
bool access_owns_place(const struct principal *principal,
                       const struct access_place *place);
/* Whether the caller sees anything of the place, now or ever. */
bool access_sees_place(const struct principal *principal,
                       const struct access_place *place);

#define ACCESS_WINDOWS_MAX 64

/*
 * The parts of `asked` in which the caller may see the place: apart from each other and
 * in order. 0: nothing. When there are more than ACCESS_WINDOWS_MAX the latest are left
 * out.
 */
size_t access_windows(const struct principal *principal, const struct access_place *place,
                      struct access_window asked,
                      struct access_window windows[ACCESS_WINDOWS_MAX]);
/* Whether the caller may see something of the place that lasted [from, to]. */
bool access_sees_time(const struct principal *principal, const struct access_place *place,
                      int64_t from_ms, int64_t to_ms);

#endif
