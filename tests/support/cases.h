// SPDX-License-Identifier: Apache-2.0
/*
 * cases - runs every case of tests/data/<suite>/<case>/{input,expect}.
 *
 * A case needs no C: make a folder, write `input`, run the test with COLDCHAIN_UPDATE=1,
 * and read the `expect` it wrote before committing it.
 */
#ifndef COLDCHAIN_TESTS_SUPPORT_CASES_H
#define COLDCHAIN_TESTS_SUPPORT_CASES_H

#include <dirent.h>

#include "base/buf.h"
#include "tests/support/check.h"

/* Appends what the input gives; that is compared with `expect`. */
typedef void cases_run_fn(const void *input, size_t len, struct buf *got);

/* Appends the file; false when there is none. */
static inline bool cases_read(const char *path, struct buf *out)
{
    FILE *file = fopen(path, "rb");
    if (file == NULL)
        return false;
    size_t len;
    do {
        char *to = buf_reserve(out, 65536);
        len = fread(to, 1, 65536, file);
        out->len += len;
    } while (len > 0);
    fclose(file);
    out->data[out->len] = '\0';
    return true;
}

static inline void cases_write(const char *path, const struct buf *text)
{
    FILE *file = fopen(path, "wb");
    CHECK(file != NULL && fwrite(text->data, 1, text->len, file) == text->len);
    if (file != NULL)
        fclose(file);
}

static inline void cases_run_one(const char *suite, const char *name, cases_run_fn *run)
{
    char path[4096];
    struct buf input = {0};
    struct buf want = {0};
    struct buf got = {0};
    int len = snprintf(path, sizeof path - 8, "%s/tests/data/%s/%s/", check_source_dir(),
                       suite, name);
    snprintf(path + len, sizeof path - (size_t)len, "input");
    CHECK_ROW(name, cases_read(path, &input));
    run(input.data != NULL ? input.data : "", input.len, &got);
    buf_text(&got, "");
    snprintf(path + len, sizeof path - (size_t)len, "expect");
    if (getenv("COLDCHAIN_UPDATE") != NULL)
        cases_write(path, &got);
    CHECK_ROW(name, cases_read(path, &want));
    buf_text(&want, "");
    if (strcmp(got.data, want.data) != 0)
        printf("\n  %s\n  got:  %s  want: %s", name, got.data, want.data);
    CHECK_ROW(name, strcmp(got.data, want.data) == 0);
    buf_fini(&input);
    buf_fini(&want);
    buf_fini(&got);
}

static inline int cases_only(const struct dirent *entry)
{
    return entry->d_name[0] != '.';
}

/* Every folder of the suite, by name; fewer than `at_least` is a failure. */
static inline void cases_run(const char *suite, size_t at_least, cases_run_fn *run)
{
    char path[4096];
    struct dirent **entries = NULL;
    snprintf(path, sizeof path, "%s/tests/data/%s", check_source_dir(), suite);
    int count = scandir(path, &entries, cases_only, alphasort);
    CHECK(count >= 0 && (size_t)count >= at_least);
    for (int i = 0; i < count; i++) {
        cases_run_one(suite, entries[i]->d_name, run);
        free(entries[i]);
    }
    free(entries);
}

#endif
