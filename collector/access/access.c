// SPDX-License-Identifier: Apache-2.0
#include "collector/access/access.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

static const char *const role_names[] = {
#define X(name, text) text,
    ACCESS_ROLE_LIST(X)
#undef X
};

static const char *const scope_names[] = {
#define X(name, text) text,
    ACCESS_SCOPE_LIST(X)
#undef X
};

static const char *const tenant_texts[] = {
#define X(name, text) text,
    ACCESS_TENANT_LIST(X)
#undef X
};

const char *access_role_name(enum access_role role)
{
    assert(role < ACCESS_ROLE_COUNT);
    return role_names[role];
}

bool access_role_parse(enum access_role *role, const char *text)
{
    for (int i = 0; i < ACCESS_ROLE_COUNT; i++) {
        if (strcmp(text, role_names[i]) != 0)
            continue;
        *role = (enum access_role)i;
        return true;
    }
    return false;
}

const char *access_scope_name(unsigned scope)
{
    for (size_t i = 0; i < ACCESS_SCOPE_COUNT; i++)
        if (scope == 1u << i)
            return scope_names[i];
    return "";
}

static unsigned scope_of(const char *text, size_t len)
{
    for (size_t i = 0; i < ACCESS_SCOPE_COUNT; i++)
        if (strlen(scope_names[i]) == len && memcmp(scope_names[i], text, len) == 0)
            return 1u << i;
    return ACCESS_SCOPE_NONE;
}

bool access_scopes_parse(unsigned *scopes, const char *text)
{
    *scopes = 0;
    for (text += strspn(text, " ,"); *text != '\0'; text += strspn(text, " ,")) {
        size_t len = strcspn(text, " ,");
        unsigned scope = scope_of(text, len);
        if (scope == ACCESS_SCOPE_NONE)
            return false;
        *scopes |= scope;
        text += len;
    }
    return true;
}

const char *access_tenant_text(enum access_tenant tenant)
{
    assert(tenant < ACCESS_TENANT_COUNT);
    return tenant_texts[tenant];
}

void principal_fini(struct principal *principal)
{
    free(principal->sites);
    free(principal->grants);
    *principal = (struct principal){0};
}

void principal_add_site(struct principal *principal, const char *site)
{
    size_t size = sizeof *principal->sites;
    char(*sites)[ID_SIZE] = mem_array(principal->site_count + 1, size);
    if (principal->site_count > 0)
        memcpy(sites, principal->sites, principal->site_count * size);
    free(principal->sites);
    principal->sites = sites;
    char *added = principal->sites[principal->site_count++];
    size_t len = strlen(site);
    assert(len < ID_SIZE);
    memcpy(added, site, len + 1);
}

void principal_add_grant(struct principal *principal, const struct access_grant *grant)
{
    struct access_grant *grants =
        mem_array(principal->grant_count + 1, sizeof *principal->grants);
    if (principal->grant_count > 0)
        memcpy(grants, principal->grants,
               principal->grant_count * sizeof *principal->grants);
    free(principal->grants);
    principal->grants = grants;
    principal->grants[principal->grant_count++] = *grant;
}

/* ---- routes -------------------------------------------------------------------------
 */

static bool has_role(const struct principal *principal, const struct access_need *need)
{
    return (need->roles & (1u << principal->role)) != 0;
}

static bool has_scope(const struct principal *principal, const struct access_need *need)
{
    return principal->role != ACCESS_ROLE_INTEGRATOR ||
           (principal->scopes & need->scope) != 0 ||
           (need->roles & ACCESS_ANONYMOUS) != 0;
}

enum access_answer access_route(const struct principal *principal,
                                const struct access_need *need, const char *org)
{
    if (need->tenant == ACCESS_TENANT_UNDECLARED || !has_role(principal, need) ||
        !has_scope(principal, need))
        return principal->role == ACCESS_ROLE_ANONYMOUS ? ACCESS_LOGIN : ACCESS_DENY;
    if (need->tenant == ACCESS_TENANT_WHOLE && principal->org[0] != '\0')
        return ACCESS_DENY;
    if (org != NULL && !access_sees_org(principal, org))
        return ACCESS_HIDE;
    return ACCESS_ALLOW;
}

/* ---- places -------------------------------------------------------------------------
 */

/* These see by their place in an organisation; others only what is granted. */
#define OWNERS (ACCESS_ADMIN | ACCESS_OPERATOR | ACCESS_INTEGRATOR)

bool access_sees_org(const struct principal *principal, const char *org)
{
    if (((1u << principal->role) & (OWNERS | ACCESS_VIEWER)) == 0)
        return false;
    return principal->org[0] == '\0' ? principal->role != ACCESS_ROLE_VIEWER
                                     : strcmp(principal->org, org) == 0;
}

static bool has_site(const struct principal *principal, const char *site)
{
    for (size_t i = 0; i < principal->site_count; i++)
        if (strcmp(principal->sites[i], site) == 0)
            return true;
    return principal->site_count == 0;
}

bool access_owns_place(const struct principal *principal,
                       const struct access_place *place)
{
    return ((1u << principal->role) & OWNERS) != 0 &&
           access_sees_org(principal, place->org) && has_site(principal, place->site);
}

static bool is_granted(const struct access_grant *grant, const struct access_place *place)
{
    return place->zone[0] != '\0' && strcmp(grant->zone, place->zone) == 0;
}

bool access_sees_place(const struct principal *principal,
                       const struct access_place *place)
{
    if (access_owns_place(principal, place))
        return true;
    for (size_t i = 0; i < principal->grant_count; i++)
        if (is_granted(&principal->grants[i], place))
            return true;
    return false;
}

/* Insertion sort: there are few. */
static size_t insert_window(struct access_window *windows, size_t count,
                            struct access_window window)
{
    if (count == ACCESS_WINDOWS_MAX) {
        if (window.from_ms >= windows[count - 1].from_ms)
            return count;
        count--;
    }
    size_t at = count;
    for (; at > 0 && windows[at - 1].from_ms > window.from_ms; at--)
        windows[at] = windows[at - 1];
    windows[at] = window;
    return count + 1;
}

static size_t join_windows(struct access_window *windows, size_t count)
{
    size_t kept = 0;
    for (size_t i = 0; i < count; i++) {
        if (kept > 0 && windows[i].from_ms <= windows[kept - 1].to_ms) {
            if (windows[i].to_ms > windows[kept - 1].to_ms)
                windows[kept - 1].to_ms = windows[i].to_ms;
        } else {
            windows[kept++] = windows[i];
        }
    }
    return kept;
}

static struct access_window cut(struct access_window a, struct access_window b)
{
    return (struct access_window){
        .from_ms = a.from_ms > b.from_ms ? a.from_ms : b.from_ms,
        .to_ms = a.to_ms < b.to_ms ? a.to_ms : b.to_ms,
    };
}

size_t access_windows(const struct principal *principal, const struct access_place *place,
                      struct access_window asked,
                      struct access_window windows[ACCESS_WINDOWS_MAX])
{
    size_t count = 0;
    if (access_owns_place(principal, place)) {
        windows[0] = asked;
        return asked.from_ms < asked.to_ms ? 1 : 0;
    }
    for (size_t i = 0; i < principal->grant_count; i++) {
        struct access_window part = cut(asked, principal->grants[i].window);
        if (is_granted(&principal->grants[i], place) && part.from_ms < part.to_ms)
            count = insert_window(windows, count, part);
    }
    return join_windows(windows, count);
}

bool access_sees_time(const struct principal *principal, const struct access_place *place,
                      int64_t from_ms, int64_t to_ms)
{
    if (access_owns_place(principal, place))
        return true;
    for (size_t i = 0; i < principal->grant_count; i++) {
        const struct access_window *window = &principal->grants[i].window;
        if (is_granted(&principal->grants[i], place) && from_ms < window->to_ms &&
            to_ms >= window->from_ms)
            return true;
    }
    return false;
}
