// SPDX-License-Identifier: Apache-2.0
#include <fcntl.h>
#include <signal.h>
#include <stdint.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/mem.h"
#include "tests/support/check.h"

static void memory_is_zeroed_and_never_null(void)
{
    char *bytes = mem_alloc(100);
    char *none = mem_alloc(0);
    CHECK(none != NULL);
    for (size_t i = 0; i < 100; i++)
        CHECK(bytes[i] == 0);
    uint64_t *numbers = mem_array(10, sizeof(uint64_t));
    CHECK(numbers[0] == 0 && numbers[9] == 0);
    free(numbers);
    free(none);
    free(bytes);
}

static void copies_are_exact(void)
{
    char *text = mem_strdup("abc");
    char *part = mem_strndup("abcdef", 2);
    char *made = mem_format("%s-%d", "x", 7);
    char *bytes = mem_dup("a\0b", 3);
    char *none = mem_dup("", 0);
    CHECK_TEXT(text, "abc");
    CHECK_TEXT(part, "ab");
    CHECK_TEXT(made, "x-7");
    CHECK(memcmp(bytes, "a\0b", 3) == 0 && none != NULL);
    bytes = mem_realloc(bytes, 1000);
    CHECK(memcmp(bytes, "a\0b", 3) == 0);
    free(text);
    free(part);
    free(made);
    free(bytes);
    free(none);
}

static void arrays_grow_by_doubling(void)
{
    uint32_t *items = NULL;
    size_t capacity = 0;
    size_t growths = 0;
    for (size_t i = 0; i < 100000; i++) {
        size_t before = capacity;
        mem_grow(&items, &capacity, i + 1, sizeof(uint32_t));
        growths += capacity != before;
        items[i] = (uint32_t)i;
    }
    CHECK(capacity >= 100000 && growths < 20);
    for (size_t i = 0; i < 100000; i++)
        CHECK(items[i] == i);
    free(items);
}

static void ask_for_too_much(int which)
{
    signal(SIGABRT, SIG_DFL);
    int quiet = open("/dev/null", O_WRONLY | O_CLOEXEC);
    dup2(quiet, STDERR_FILENO);
    void *array = NULL;
    size_t capacity = 0;
    volatile size_t huge = SIZE_MAX / 2;
    if (which == 0)
        free(mem_array(huge, 16));
    else
        mem_grow(&array, &capacity, huge, 16);
    _exit(0);
}

/* A size that wraps around must never become a small block. */
static void too_much_ends_the_process(void)
{
    for (int which = 0; which < 2; which++) {
        fflush(NULL);
        pid_t child = fork();
        if (child == 0)
            ask_for_too_much(which);
        int status = 0;
        CHECK(waitpid(child, &status, 0) == child);
        CHECK(WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT);
    }
}

static CU_TestInfo tests[] = {
    {"memory is zeroed and never NULL", memory_is_zeroed_and_never_null},
    {"copies are exact", copies_are_exact},
    {"arrays grow by doubling", arrays_grow_by_doubling},
    {"too much ends the process", too_much_ends_the_process},
    CU_TEST_INFO_NULL,
};

int main(void)
{
    return check_run("mem", tests);
}
