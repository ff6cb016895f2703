// SPDX-License-Identifier: Apache-2.0
/*
 * check - what every unit test shares: CUnit, a row check that names its row, one runner.
 *
 * A test file ends with `int main(void) { return check_run("module", tests); }`, where
 * `tests` is a NULL-terminated CU_TestInfo table whose names are sentences.
 */
#ifndef COLDCHAIN_TESTS_SUPPORT_CHECK_H
#define COLDCHAIN_TESTS_SUPPORT_CHECK_H

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <CUnit/Basic.h>
#include <CUnit/CUnit.h>

#define CHECK_SKIPPED 77

static inline const char *row_label(const char *row, const char *expr)
{
    static char label[300];
    snprintf(label, sizeof label, "[%.180s] %.110s", row, expr);
    return label;
}

#define CHECK(expr) \
    CU_assertImplementation((expr) ? CU_TRUE : CU_FALSE, __LINE__, #expr, __FILE__, "", \
                            CU_FALSE)
#define CHECK_ROW(row, expr) \
    CU_assertImplementation((expr) ? CU_TRUE : CU_FALSE, __LINE__, \
                            row_label((row), #expr), __FILE__, "", CU_FALSE)
/* Prints both texts on a mismatch. */
#define CHECK_TEXT(got, want) \
    do { \
        const char *check_got = (got), *check_want = (want); \
        if (strcmp(check_got, check_want) != 0) \
            printf("\n  got:  %s\n  want: %s\n", check_got, check_want); \
        CU_assertImplementation(strcmp(check_got, check_want) == 0 ? CU_TRUE : CU_FALSE, \
                                __LINE__, #got " is " #want, __FILE__, "", CU_FALSE); \
    } while (0)

/* Runs the table; exit status for main. CUnit itself failing is a failure. */
static inline int check_run(const char *suite_name, CU_TestInfo *tests)
{
    CU_SuiteInfo suites[] = {
        {.pName = suite_name, .pTests = tests},
        CU_SUITE_INFO_NULL,
    };
    if (CU_initialize_registry() != CUE_SUCCESS ||
        CU_register_suites(suites) != CUE_SUCCESS)
        return EXIT_FAILURE;
    CU_basic_set_mode(CU_BRM_VERBOSE);
    bool ran = CU_basic_run_tests() == CUE_SUCCESS && CU_get_number_of_asserts() > 0;
    unsigned failures = CU_get_number_of_failures();
    CU_cleanup_registry();
    return ran && failures == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}

/* Folder of the sources, for tests/data. */
static inline const char *check_source_dir(void)
{
    const char *dir = getenv("COLDCHAIN_SOURCE");
    return dir != NULL ? dir : ".";
}

/* Folder of the reference data, or NULL after printing why it is skipped. */
static inline const char *check_shared_dir(char *path, size_t size, const char *what)
{
    const char *dir = getenv("COLDCHAIN_SHARED");
    if (dir != NULL)
        snprintf(path, size, "%s", dir);
    else
        snprintf(path, size, "%s/../shared", check_source_dir());
    char probe[4096];
    snprintf(probe, sizeof probe, "%s/%s", path, what);
    FILE *file = fopen(probe, "rb");
    if (file == NULL) {
        printf("SKIP: %s not found (set COLDCHAIN_SHARED)\n", probe);
        return NULL;
    }
    fclose(file);
    return path;
}

#endif
