// SPDX-License-Identifier: Apache-2.0
#include "net/mqtt_why.h"
#include "tests/support/check.h"

static const struct mqtt_uri plain = {.host = "b.example", .port = 1883};
static const struct mqtt_uri tls = {.is_tls = true, .host = "b.example", .port = 8883};

static const struct failure_row {
    const char *name;
    const struct mqtt_uri *uri;
    struct mqtt_failure failure;
    bool want_old;
    bool want_silent;
    const char *want;
} failure_rows[] = {
    {"MQTT 5: password",
     &plain,
     {.code = 0x86, .is_v5 = true},
     false,
     false,
     "b.example:1883 refused the connection: Bad User Name or Password"},
    {"MQTT 5: version",
     &plain,
     {.code = 0x84, .is_v5 = true},
     true,
     false,
     "b.example:1883 refused the connection: Unsupported Protocol Version"},
    {"MQTT 5: unheard of",
     &plain,
     {.code = 0xFE, .is_v5 = true},
     false,
     false,
     "b.example:1883 refused the connection: reason not known"},
    {"old broker",
     &plain,
     {.code = 1, .is_v5 = true},
     true,
     false,
     "b.example:1883 refused the connection: it does not speak this version of MQTT"},
    {"3.1.1: version",
     &plain,
     {.code = 1},
     false,
     false,
     "b.example:1883 refused the connection: it does not speak this version of MQTT"},
    {"3.1.1: rights",
     &plain,
     {.code = 5},
     false,
     false,
     "b.example:1883 refused the connection: not authorized"},
    {"3.1.1: unheard of",
     &plain,
     {.code = 6},
     false,
     false,
     "b.example:1883 refused the connection: reason not known"},
    {"no answer",
     &plain,
     {.code = -1, .message = "TCP connect timeout", .timeout_s = 20},
     false,
     false,
     "no answer from b.example:1883 within 20 s"},
    {"closed",
     &plain,
     {.code = -1, .message = "TCP connect completion failure"},
     false,
     true,
     "b.example:1883 closed the connection without an answer"},
    {"refused",
     &plain,
     {.code = -1, .message = "TCP/TLS connect failure"},
     false,
     false,
     "cannot connect to b.example:1883: not reachable"},
    {"no such name",
     &plain,
     {.code = -1},
     false,
     false,
     "cannot connect to b.example:1883: not reachable"},
    {"certificate",
     &tls,
     {.code = -1,
      .message = "TCP/TLS connect failure",
      .tls_error = "certificate verify failed"},
     false,
     false,
     "no TLS with b.example:8883: certificate verify failed"},
    {"another name",
     &tls,
     {.code = -1, .message = "TCP/TLS connect failure"},
     false,
     false,
     "cannot connect to b.example:8883: not reachable, or its certificate is for "
     "another name"},
};

static void failures_become_sentences(void)
{
    for (size_t i = 0; i < sizeof failure_rows / sizeof failure_rows[0]; i++) {
        const struct failure_row *row = &failure_rows[i];
        struct err_text why;
        struct mqtt_failure failure = row->failure;
        if (failure.tls_error == NULL)
            failure.tls_error = "";
        mqtt_why_describe(&why, row->uri, &failure);
        CHECK_TEXT(why.text, row->want);
        CHECK_ROW(row->name, mqtt_why_is_old(&failure) == row->want_old);
        CHECK_ROW(row->name, mqtt_why_is_silent(&failure) == row->want_silent);
    }
}

static void tls_lines_by_rows(void)
{
    static const struct {
        const char *line;
        const char *want;
    } rows[] = {
        {"7F1C:error:0A000086:SSL routines:tls_post_process_server_certificate:"
         "certificate verify failed:../ssl/statem/statem_clnt.c:1889:\n",
         "certificate verify failed"},
        {"7F1C:error:0A00010B:SSL routines:ssl3_get_record:wrong version number",
         "wrong version number"},
        {"something else\n", ""},
        {"a:b:c:d:e", ""},
        {"", ""},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char text[MQTT_TLS_ERROR_MAX] = "before";
        mqtt_why_tls(text, rows[i].line);
        CHECK_TEXT(text, rows[i].want);
    }
}

static CU_TestInfo tests[] = {
    {"failures become sentences", failures_become_sentences},
    {"TLS lines by rows", tls_lines_by_rows},
    CU_TEST_INFO_NULL,
};

int main(void)
{
    return check_run("mqtt_why", tests);
}
