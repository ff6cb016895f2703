// SPDX-License-Identifier: Apache-2.0
/* Roles, scopes, organisations and grants: who is let in and what is seen. */
#include "collector/access/access.h"

#include <string.h>

#include "tests/support/check.h"

#define T(ms) ((int64_t)(ms))

static struct principal make(enum access_role role, const char *org)
{
    struct principal principal = {.kind = PRINCIPAL_PERSON, .role = role};
    snprintf(principal.org, sizeof principal.org, "%s", org);
    return principal;
}

static void grant(struct principal *principal, const char *zone, int64_t from, int64_t to)
{
    struct access_grant added = {.window = {from, to}};
    snprintf(added.zone, sizeof added.zone, "%s", zone);
    principal_add_grant(principal, &added);
}

static const struct {
    const char *name;
    enum access_role role;
    const char *org;
    unsigned scopes;
    struct access_need need;
    const char *asked_org;
    enum access_answer want;
} route_rows[] = {
    {"a zeroed need denies even an admin",
     ACCESS_ROLE_ADMIN,
     "",
     0,
     {0},
     NULL,
     ACCESS_DENY},
    {"a tenant rule that is missing denies",
     ACCESS_ROLE_ADMIN,
     "",
     0,
     {.roles = ACCESS_ADMIN},
     NULL,
     ACCESS_DENY},
    {"nobody is asked who he is",
     ACCESS_ROLE_ANONYMOUS,
     "",
     0,
     {.roles = ACCESS_PEOPLE, .tenant = ACCESS_TENANT_NONE},
     NULL,
     ACCESS_LOGIN},
    {"nobody may use what is open",
     ACCESS_ROLE_ANONYMOUS,
     "",
     0,
     {.roles = ACCESS_ANYONE, .tenant = ACCESS_TENANT_NONE},
     NULL,
     ACCESS_ALLOW},
    {"a viewer does not do an operator's work",
     ACCESS_ROLE_VIEWER,
     "fengjie",
     0,
     {.roles = ACCESS_STAFF, .tenant = ACCESS_TENANT_LIST},
     NULL,
     ACCESS_DENY},
    {"a token without a scope is not let in",
     ACCESS_ROLE_INTEGRATOR,
     "fengjie",
     0,
     {.roles = ACCESS_INTEGRATOR,
      .scope = ACCESS_SCOPE_READ,
      .tenant = ACCESS_TENANT_LIST},
     NULL,
     ACCESS_DENY},
    {"a token with the scope is",
     ACCESS_ROLE_INTEGRATOR,
     "fengjie",
     ACCESS_SCOPE_READ,
     {.roles = ACCESS_INTEGRATOR,
      .scope = ACCESS_SCOPE_READ,
      .tenant = ACCESS_TENANT_LIST},
     NULL,
     ACCESS_ALLOW},
    {"all scopes do not open a route that names none",
     ACCESS_ROLE_INTEGRATOR,
     "",
     ~0u,
     {.roles = ACCESS_INTEGRATOR, .tenant = ACCESS_TENANT_LIST},
     NULL,
     ACCESS_DENY},
    {"what is open is open to tokens too",
     ACCESS_ROLE_INTEGRATOR,
     "fengjie",
     0,
     {.roles = ACCESS_ANYONE, .tenant = ACCESS_TENANT_NONE},
     NULL,
     ACCESS_ALLOW},
    {"the whole is for who has no organisation",
     ACCESS_ROLE_ADMIN,
     "fengjie",
     0,
     {.roles = ACCESS_ADMIN, .tenant = ACCESS_TENANT_WHOLE},
     NULL,
     ACCESS_DENY},
    {"and for him",
     ACCESS_ROLE_ADMIN,
     "",
     0,
     {.roles = ACCESS_ADMIN, .tenant = ACCESS_TENANT_WHOLE},
     NULL,
     ACCESS_ALLOW},
    {"one's own organisation",
     ACCESS_ROLE_ADMIN,
     "fengjie",
     0,
     {.roles = ACCESS_ADMIN, .tenant = ACCESS_TENANT_ORG},
     "fengjie",
     ACCESS_ALLOW},
    {"another does not exist",
     ACCESS_ROLE_ADMIN,
     "fengjie",
     0,
     {.roles = ACCESS_ADMIN, .tenant = ACCESS_TENANT_ORG},
     "wushan",
     ACCESS_HIDE},
    {"case counts",
     ACCESS_ROLE_ADMIN,
     "fengjie",
     0,
     {.roles = ACCESS_ADMIN, .tenant = ACCESS_TENANT_ORG},
     "Fengjie",
     ACCESS_HIDE},
    {"any, for the whole installation",
     ACCESS_ROLE_OPERATOR,
     "",
     0,
     {.roles = ACCESS_STAFF, .tenant = ACCESS_TENANT_ORG},
     "wushan",
     ACCESS_ALLOW},
    {"a share link names no organisation",
     ACCESS_ROLE_SHARE,
     "fengjie",
     0,
     {.roles = ACCESS_SHARE, .tenant = ACCESS_TENANT_ORG},
     "fengjie",
     ACCESS_HIDE},
};

static void a_route_lets_in_whom_it_names(void)
{
    for (size_t i = 0; i < sizeof route_rows / sizeof route_rows[0]; i++) {
        struct principal principal = make(route_rows[i].role, route_rows[i].org);
        principal.scopes = route_rows[i].scopes;
        CHECK_ROW(route_rows[i].name,
                  access_route(&principal, &route_rows[i].need,
                               route_rows[i].asked_org) == route_rows[i].want);
    }
}

static void places_are_seen_by_their_own(void)
{
    static const struct {
        const char *name;
        enum access_role role;
        const char *org;
        const char *site; /* that he has; NULL: all */
        const char *granted;
        struct access_place place;
        bool want;
    } rows[] = {
        {"admin", ACCESS_ROLE_ADMIN, "a", NULL, NULL, {"a", "s", "z"}, true},
        {"another's", ACCESS_ROLE_ADMIN, "a", NULL, NULL, {"b", "s", "z"}, false},
        {"the whole", ACCESS_ROLE_ADMIN, "", NULL, NULL, {"b", "s", "z"}, true},
        {"his site", ACCESS_ROLE_OPERATOR, "a", "s", NULL, {"a", "s", "z"}, true},
        {"not his site", ACCESS_ROLE_OPERATOR, "a", "s", NULL, {"a", "t", "z"}, false},
        {"a namesake elsewhere",
         ACCESS_ROLE_OPERATOR,
         "a",
         "s",
         NULL,
         {"b", "s", "z"},
         false},
        {"viewer, his own", ACCESS_ROLE_VIEWER, "a", NULL, NULL, {"a", "s", "z"}, false},
        {"viewer, granted", ACCESS_ROLE_VIEWER, "a", NULL, "z", {"b", "s", "z"}, true},
        {"viewer, other zone",
         ACCESS_ROLE_VIEWER,
         "a",
         NULL,
         "y",
         {"b", "s", "z"},
         false},
        {"viewer of the whole",
         ACCESS_ROLE_VIEWER,
         "",
         NULL,
         NULL,
         {"b", "s", "z"},
         false},
        {"link", ACCESS_ROLE_SHARE, "", NULL, "z", {"b", "s", "z"}, true},
        {"link, other zone", ACCESS_ROLE_SHARE, "", NULL, "y", {"b", "s", "z"}, false},
        {"nobody", ACCESS_ROLE_ANONYMOUS, "", NULL, NULL, {"", "", ""}, false},
        {"a grant of no zone", ACCESS_ROLE_SHARE, "", NULL, "", {"", "", ""}, false},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct principal principal = make(rows[i].role, rows[i].org);
        if (rows[i].site != NULL)
            principal_add_site(&principal, rows[i].site);
        if (rows[i].granted != NULL)
            grant(&principal, rows[i].granted, T(10), T(20));
        CHECK_ROW(rows[i].name,
                  access_sees_place(&principal, &rows[i].place) == rows[i].want);
        principal_fini(&principal);
    }
}

static void grants_are_windows(void)
{
    const struct access_place place = {"b", "s", "z"};
    struct access_window windows[ACCESS_WINDOWS_MAX];
    struct principal viewer = make(ACCESS_ROLE_VIEWER, "a");
    grant(&viewer, "z", T(50), T(60));
    grant(&viewer, "z", T(10), T(20));
    grant(&viewer, "z", T(15), T(30));
    grant(&viewer, "y", T(0), T(100));
    CHECK(access_windows(&viewer, &place, (struct access_window){0, 100}, windows) == 2);
    CHECK(windows[0].from_ms == 10 && windows[0].to_ms == 30);
    CHECK(windows[1].from_ms == 50 && windows[1].to_ms == 60);
    CHECK(access_windows(&viewer, &place, (struct access_window){25, 55}, windows) == 2);
    CHECK(windows[0].from_ms == 25 && windows[0].to_ms == 30);
    CHECK(windows[1].from_ms == 50 && windows[1].to_ms == 55);
    CHECK(access_windows(&viewer, &place, (struct access_window){30, 50}, windows) == 0);
    CHECK(access_sees_time(&viewer, &place, 0, 10));
    CHECK(!access_sees_time(&viewer, &place, 0, 9));
    CHECK(access_sees_time(&viewer, &place, 29, 29));
    CHECK(!access_sees_time(&viewer, &place, 30, 49)); /* the end is not in it */
    principal_fini(&viewer);

    struct principal admin = make(ACCESS_ROLE_ADMIN, "b");
    CHECK(access_windows(&admin, &place, (struct access_window){5, 7}, windows) == 1);
    CHECK(windows[0].from_ms == 5 && windows[0].to_ms == 7);
    CHECK(access_windows(&admin, &place, (struct access_window){7, 7}, windows) == 0);
}

static void more_grants_than_fit_show_less_and_never_more(void)
{
    const struct access_place place = {"b", "s", "z"};
    struct access_window windows[ACCESS_WINDOWS_MAX];
    struct principal viewer = make(ACCESS_ROLE_VIEWER, "a");
    for (int i = 2 * ACCESS_WINDOWS_MAX; i > 0; i--)
        grant(&viewer, "z", T(10 * i), T(10 * i + 5));
    size_t count =
        access_windows(&viewer, &place, (struct access_window){0, 100000}, windows);
    CHECK(count == ACCESS_WINDOWS_MAX);
    for (size_t i = 0; i < count; i++)
        CHECK(windows[i].from_ms == T(10 * (i + 1)) &&
              windows[i].to_ms == T(10 * (i + 1) + 5));
    principal_fini(&viewer);
}

static void names_read_back(void)
{
    for (int i = 0; i < ACCESS_ROLE_COUNT; i++) {
        enum access_role role = ACCESS_ROLE_ANONYMOUS;
        const char *name = access_role_name((enum access_role)i);
        CHECK_ROW(name, access_role_parse(&role, name) && role == (enum access_role)i);
    }
    enum access_role role;
    CHECK(!access_role_parse(&role, "root") && !access_role_parse(&role, ""));
    unsigned scopes = 0;
    CHECK(access_scopes_parse(&scopes, "read, metrics"));
    CHECK(scopes == (ACCESS_SCOPE_READ | ACCESS_SCOPE_METRICS));
    CHECK(access_scopes_parse(&scopes, "") && scopes == 0);
    CHECK(!access_scopes_parse(&scopes, "read write"));
    CHECK(!access_scopes_parse(&scopes, "rea"));
}

int main(void)
{
    CU_TestInfo tests[] = {
        {"a route lets in whom it names", a_route_lets_in_whom_it_names},
        {"places are seen by their own", places_are_seen_by_their_own},
        {"grants are windows", grants_are_windows},
        {"more grants than fit show less and never more",
         more_grants_than_fit_show_less_and_never_more},
        {"names read back", names_read_back},
        CU_TEST_INFO_NULL,
    };
    return check_run("access", tests);
}
