// SPDX-License-Identifier: Apache-2.0
/*
 * docs/authorization.md is what the route table says: who may use what, in one table.
 *
 * With COLDCHAIN_WRITE set, the page is written anew instead of compared. With --table,
 * it prints the table and the verbs as JSON, for tests in other languages.
 */
#include "collector/api/internal.h"

#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/mem.h"
#include "collector/api/routes.h"
#include "collector/command/verb.h"
#include "tests/support/check.h"

static const char intro[] =
    "# Who may do what\n\n"
    "Made from the route table, `collector/api/routes.c`, by "
    "`tests/unit/collector/api/authorization_test.c`,\nwhich fails when the two differ. "
    "What is not in the table is denied: an address 404, a method 405, a\nrole 401 when "
    "nobody is known and 403 otherwise.\n\n"
    "* **admin** of an organisation has all that is the organisation's; without one, the "
    "whole installation.\n"
    "* **operator** likewise for places and incidents, of some sites or of all.\n"
    "* **viewer** sees zones that were granted to its organisation or to the person, for "
    "the time granted.\n"
    "* **integrator** is a token that may do what its scopes say: `read`, `incidents`, "
    "`registry`, `metrics`.\n"
    "* **share** is a link that shows what it was granted, until it expires or is "
    "revoked.\n"
    "* **handover** is a token for one hand-over; it has no route yet.\n"
    "* **setup** is the link that makes the first admin.\n\n"
    "What belongs to others is 404, as if there were none of it; lists leave it out.\n\n";

/* A token's role is not enough where its scope does not reach. */
static bool takes_role(const struct access_need *need, int role)
{
    bool is_in = (need->roles & (1u << role)) != 0;
    if (role == ACCESS_ROLE_INTEGRATOR && (need->roles & ACCESS_ANONYMOUS) == 0)
        is_in = is_in && need->scope != ACCESS_SCOPE_NONE;
    return is_in;
}

static void put_roles(struct buf *out, const struct access_need *need)
{
    for (int role = ACCESS_ROLE_ANONYMOUS; role < ACCESS_ROLE_COUNT; role++)
        buf_format(out, " %s |", takes_role(need, role) ? "yes" : "");
}

static void format_table(struct buf *out)
{
    buf_text(out, "| method | address |");
    for (int role = 0; role < ACCESS_ROLE_COUNT; role++)
        buf_format(out, " %s |", access_role_name((enum access_role)role));
    buf_text(out, " scope | organisations |\n|---|---|");
    for (int role = 0; role < ACCESS_ROLE_COUNT; role++)
        buf_text(out, "---|");
    buf_text(out, "---|---|\n");
    for (const struct api_route *route = api_routes; route->method != NULL; route++) {
        buf_format(out, "| %s | `%s` |", route->method, route->pattern);
        put_roles(out, &route->need);
        buf_format(out, " %s | %s |\n", access_scope_name(route->need.scope),
                   access_tenant_text(route->need.tenant));
    }
}

static void the_document_is_the_table(void)
{
    struct buf want = {0};
    struct buf have = {0};
    struct err_text why = {0};
    const char *source = getenv("COLDCHAIN_SOURCE");
    char *path = mem_format("%s/docs/authorization.md", source != NULL ? source : ".");
    buf_text(&want, intro);
    format_table(&want);
    if (getenv("COLDCHAIN_WRITE") != NULL) {
        FILE *file = fopen(path, "w");
        CHECK(file != NULL && fwrite(want.data, 1, want.len, file) == want.len);
        CHECK(file != NULL && fclose(file) == 0);
    }
    CHECK(file_read(&have, path, 1 << 20, &why) == ERR_OK);
    CHECK(have.len == want.len && memcmp(have.data, want.data, want.len) == 0);
    free(path);
    buf_fini(&want);
    buf_fini(&have);
}

static void every_route_is_declared(void)
{
    for (const struct api_route *route = api_routes; route->method != NULL; route++) {
        CHECK_ROW(route->pattern, route->need.roles != 0);
        CHECK_ROW(route->pattern, (route->need.roles & ~ACCESS_ANYONE) == 0);
        CHECK_ROW(route->pattern, route->need.tenant > ACCESS_TENANT_UNDECLARED &&
                                      route->need.tenant < ACCESS_TENANT_COUNT);
        CHECK_ROW(route->pattern, route->handle != NULL && route->params != NULL);
        CHECK_ROW(route->pattern, route->help[0] != '\0');
        /* Each address and method once: the first would hide the second. */
        for (const struct api_route *other = api_routes; other != route; other++)
            CHECK_ROW(route->pattern, strcmp(other->method, route->method) != 0 ||
                                          strcmp(other->pattern, route->pattern) != 0);
    }
}

static json_t *route_json(const struct api_route *route)
{
    json_t *roles = json_array();
    for (int role = ACCESS_ROLE_ANONYMOUS; role < ACCESS_ROLE_COUNT; role++)
        if (takes_role(&route->need, role))
            json_array_append_new(roles,
                                  json_string(access_role_name((enum access_role)role)));
    return json_pack("{s:s, s:s, s:s, s:s, s:s, s:s*, s:o}", "method", route->method,
                     "pattern", route->pattern, "params", route->params, "help",
                     route->help, "scope", access_scope_name(route->need.scope), "verb",
                     route->verb, "roles", roles);
}

static int print_table(void)
{
    json_t *routes = json_array();
    for (const struct api_route *route = api_routes; route->method != NULL; route++)
        json_array_append_new(routes, route_json(route));
    json_t *table = json_pack("{s:o, s:o}", "routes", routes, "verbs", verb_table());
    int failed = json_dumpf(table, stdout, JSON_INDENT(1));
    json_decref(table);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}

int main(int argc, char **argv)
{
    if (argc == 2 && strcmp(argv[1], "--table") == 0)
        return print_table();
    CU_TestInfo tests[] = {
        {"every route is declared", every_route_is_declared},
        {"the document is the table", the_document_is_the_table},
        CU_TEST_INFO_NULL,
    };
    return check_run("authorization", tests);
}
