// SPDX-License-Identifier: Apache-2.0
#include "base/csv.h"

#include <math.h>

#include "tests/support/check.h"

/* The whole text as rows joined by ';', fields by '|'; an error row is its name. */
static const char *flat(const char *text, size_t len)
{
    static char out[1000];
    static struct csv csv;
    size_t used = 0;
    out[0] = '\0';
    csv_init(&csv, text, len);
    for (;;) {
        enum err err = csv_next(&csv, NULL);
        if (err == ERR_NOT_FOUND)
            return out;
        if (err != ERR_OK)
            used += (size_t)snprintf(out + used, sizeof out - used, "%s", err_name(err));
        for (size_t i = 0; err == ERR_OK && i < csv.count; i++) {
            char field[200];
            used +=
                (size_t)snprintf(out + used, sizeof out - used, "%s%s", i > 0 ? "|" : "",
                                 csv_text(&csv.fields[i], field, sizeof field));
        }
        used += (size_t)snprintf(out + used, sizeof out - used, ";");
    }
}

static void rows_are_split(void)
{
    static const struct {
        const char *name;
        const char *text;
        const char *want;
    } rows[] = {
        {"plain", "a,b\n1,2\n", "a|b;1|2;"},
        {"no end of line", "a,b\n1,2", "a|b;1|2;"},
        {"byte order mark", "\xEF\xBB\xBFtime,t\n", "time|t;"},
        {"CRLF", "a,b\r\n1,2\r\n", "a|b;1|2;"},
        {"semicolons", "a;b\n1,5;2\n", "a|b;1,5|2;"},
        {"tabs", "a\tb\n1\t2\n", "a|b;1|2;"},
        {"a comma in quotes", "\"7/7/2022, 4:00:00 PM\",x\n", "7/7/2022, 4:00:00 PM|x;"},
        {"doubled quotes", "\"say \"\"hi\"\"\",x\n", "say \"hi\"|x;"},
        {"a line end in quotes", "\"a\nb\",x\ny,z\n", "a\nb|x;y|z;"},
        {"empty fields", ",,\n", "||;"},
        {"blank lines are no rows", "\n\r\na,b\n\n\n", "a|b;"},
        {"an open quote costs one row", "a,\"b\n1,2\n", "INVALID;1|2;"},
        {"text behind a quote", "\"a\"b,c\n1,2\n", "INVALID;1|2;"},
        {"empty text", "", ""},
        {"empty quotes", "\"\",x\n", "|x;"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        const char *got = flat(rows[i].text, strlen(rows[i].text));
        if (strcmp(got, rows[i].want) != 0)
            printf("\n  got: %s\n", got);
        CHECK_ROW(rows[i].name, strcmp(got, rows[i].want) == 0);
    }
}

static void too_many_columns_are_refused(void)
{
    char text[2 * CSV_FIELDS_MAX + 8];
    memset(text, ',', sizeof text);
    text[sizeof text - 4] = '\n';
    memcpy(text + sizeof text - 3, "a,b", 3);
    CHECK_TEXT(flat(text, sizeof text), "LIMIT;a|b;");
}

static void numbers_are_read_or_missing_or_refused(void)
{
    static const struct {
        const char *text;
        bool want_ok;
        bool is_missing;
        double want;
    } rows[] = {
        {"1", true, false, 1},
        {"-19.3", true, false, -19.3},
        {" 4.5 ", true, false, 4.5},
        {"0.1", true, false, 0.1},
        {"+3.5e2", true, false, 350},
        {"123456789012345678", true, false, 123456789012345678.0},
        {"1657195200", true, false, 1657195200},
        {"", true, true, 0},
        {"NaN", true, true, 0},
        {"null", true, true, 0},
        {"inf", false, false, 0},
        {"1e999", false, false, 0},
        {"0x10", false, false, 0},
        {"1.2.3", false, false, 0},
        {"--1", false, false, 0},
        {"4 C", false, false, 0},
        {".", false, false, 0},
        {"1,5", false, false, 0},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct csv_field field = {.text = rows[i].text, .len = strlen(rows[i].text)};
        double got = 0;
        CHECK_ROW(rows[i].text, csv_number(&field, false, &got) == rows[i].want_ok);
        bool wants_number = rows[i].want_ok && !rows[i].is_missing;
        CHECK_ROW(rows[i].text, wants_number ? got == rows[i].want : isnan(got));
    }
    struct csv_field comma = {.text = "1,5", .len = 3};
    double got = 0;
    CHECK(csv_number(&comma, true, &got) && got == 1.5);
}

static void the_column_map_is_checked(void)
{
    static const struct {
        const char *spec;
        enum err want;
        const char *says;
    } rows[] = {
        {"time=Time,temperature=T", ERR_OK, ""},
        {"time=Time@ms,temperature=T@F", ERR_OK, ""},
        {"time=Time@+08:00", ERR_OK, ""},
        {"temperature=T", ERR_INVALID, "time=COLUMN"},
        {"time=Time,time=Other", ERR_INVALID, "twice"},
        {"time", ERR_INVALID, "KEY=COLUMN"},
        {"=x,time=t", ERR_INVALID, "KEY=COLUMN"},
        {"time=", ERR_INVALID, "KEY=COLUMN"},
        {"time=T@", ERR_INVALID, "KEY=COLUMN"},
        {"time=T@furlong", ERR_INVALID, "furlong"},
        {"", ERR_INVALID, "time=COLUMN"},
        {"time=a,b=b,c=c,d=d,e=e,f=f,g=g,h=h,i=i,j=j,k=k,l=l,m=m,n=n,o=o,p=p,q=q",
         ERR_LIMIT, "16"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct csv_map map;
        struct err_text why = {""};
        CHECK_ROW(rows[i].spec, csv_map_parse(&map, rows[i].spec, &why) == rows[i].want);
        CHECK_ROW(rows[i].spec, strstr(why.text, rows[i].says) != NULL);
    }
}

/* Binds and reads the first row; the time in ms and the second key's value. */
static enum err first_row(const char *spec, const char *text, int64_t *time_ms,
                          double *value, struct err_text *why)
{
    static struct csv csv;
    struct csv_map map;
    double values[CSV_COLUMNS_MAX] = {0};
    csv_init(&csv, text, strlen(text));
    enum err err = csv_map_parse(&map, spec, why);
    if (err == ERR_OK)
        err = csv_map_bind(&map, &csv, why);
    if (err == ERR_OK)
        err = csv_next(&csv, why);
    if (err == ERR_OK)
        err = csv_map_row(&map, &csv, time_ms, values, why);
    if (map.count > 1)
        *value = values[1];
    return err;
}

static void times_come_in_many_forms(void)
{
    static const struct {
        const char *name;
        const char *spec;
        const char *text;
        int64_t want_ms;
    } rows[] = {
        {"RFC 3339", "time=t,v=v", "t,v\n2022-07-07T12:00:00.000Z,1\n", 1657195200000},
        {"with an offset", "time=t,v=v", "t,v\n2022-07-07T20:00:00+08:00,1\n",
         1657195200000},
        {"seconds", "time=t,v=v", "t,v\n1657195200,1\n", 1657195200000},
        {"seconds with a fraction", "time=t@s,v=v", "t,v\n1657195200.25,1\n",
         1657195200250},
        {"milliseconds by size", "time=t,v=v", "t,v\n1657195200000,1\n", 1657195200000},
        {"milliseconds by word", "time=t@ms,v=v", "t,v\n1000,1\n", 1000},
        {"a stated zone", "time=t@+08:00,v=v", "t,v\n2022-07-07 20:00:00,1\n",
         1657195200000},
        {"stated UTC", "time=t@utc,v=v", "t,v\n2022-07-07 12:00,1\n", 1657195200000},
        {"a date, stated UTC", "time=t@utc,v=v", "t,v\n2022-07-07,1\n", 1657152000000},
        {"no heading", "time=#1,v=#2", "1657195200,1\n", 1657195200000},
        {"heading passed by", "time=#1,v=#2", "t,v\n1657195200,1\n", 1657195200000},
        {"columns in another order", "time=t,v=v", "v,x,t\n1,9,1657195200\n",
         1657195200000},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        int64_t time_ms = -1;
        double value = NAN;
        struct err_text why = {""};
        enum err err = first_row(rows[i].spec, rows[i].text, &time_ms, &value, &why);
        if (err != ERR_OK)
            printf("\n  %s\n", why.text);
        CHECK_ROW(rows[i].name, err == ERR_OK);
        CHECK_ROW(rows[i].name, time_ms == rows[i].want_ms);
        CHECK_ROW(rows[i].name, value == 1);
    }
}

static void bad_rows_say_where_and_what(void)
{
    static const struct {
        const char *name;
        const char *spec;
        const char *text;
        const char *says;
    } rows[] = {
        {"unknown column", "time=t,v=w", "t,v\n1,1\n", "it has: t, v"},
        {"no rows", "time=t", "", "no rows"},
        {"a time without a zone", "time=t,v=v", "t,v\n2022-07-07 12:00:00,1\n",
         "@+08:00"},
        {"a date without a zone", "time=t,v=v", "t,v\n2022-07-07,1\n", "@+08:00"},
        {"a time beyond all years", "time=t,v=v", "t,v\n1e300,1\n", "no time"},
        {"a missing time", "time=t,v=v", "t,v\n,1\n", "no time"},
        {"a word for a number", "time=t,v=v", "t,v\n1657195200,warm\n",
         "line 2, column 'v'"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        int64_t time_ms;
        double value;
        struct err_text why = {""};
        CHECK_ROW(rows[i].name, first_row(rows[i].spec, rows[i].text, &time_ms, &value,
                                          &why) != ERR_OK);
        if (strstr(why.text, rows[i].says) == NULL)
            printf("\n  %s\n", why.text);
        CHECK_ROW(rows[i].name, strstr(why.text, rows[i].says) != NULL);
    }
}

static void short_rows_lack_values_only(void)
{
    int64_t time_ms = 0;
    double value = 0;
    CHECK(first_row("time=t,v=v", "t,v\n1657195200\n", &time_ms, &value, NULL) == ERR_OK);
    CHECK(time_ms == 1657195200000 && isnan(value));
}

int main(void)
{
    CU_TestInfo tests[] = {
        {"rows are split", rows_are_split},
        {"too many columns are refused", too_many_columns_are_refused},
        {"numbers are read, missing, or refused", numbers_are_read_or_missing_or_refused},
        {"the column map is checked", the_column_map_is_checked},
        {"times come in many forms", times_come_in_many_forms},
        {"bad rows say where and what", bad_rows_say_where_and_what},
        {"short rows lack values only", short_rows_lack_values_only},
        CU_TEST_INFO_NULL,
    };
    return check_run("csv", tests);
}
