// SPDX-License-Identifier: Apache-2.0
#include <errno.h>

#include "base/err.h"
#include "tests/support/check.h"

static void errors_have_names_and_texts(void)
{
    CHECK_TEXT(err_name(ERR_OK), "OK");
    CHECK_TEXT(err_name(ERR_UNSUPPORTED), "UNSUPPORTED");
    for (int i = ERR_OK; i <= ERR_UNSUPPORTED; i++) {
        CHECK(strlen(err_name((enum err)i)) > 1);
        CHECK(strlen(err_about((enum err)i)) > 3);
    }
}

static void a_sentence_is_cut_not_overrun(void)
{
    char text[2000];
    struct err_text why = {0};
    memset(text, 'x', sizeof text);
    text[sizeof text - 1] = '\0';
    CHECK(err_set(&why, ERR_LIMIT, "%s", text) == ERR_LIMIT);
    CHECK(strlen(why.text) == sizeof why.text - 1);
    CHECK(err_set(&why, ERR_IO, "%d of %s", 3, "four") == ERR_IO);
    CHECK_TEXT(why.text, "3 of four");
    CHECK(err_set(NULL, ERR_BUSY, "nobody %s", "asks") == ERR_BUSY);
}

static void errno_is_kept_and_translated(void)
{
    static const struct {
        int number;
        enum err want;
    } rows[] = {
        {0, ERR_OK},          {ENOSPC, ERR_FULL},
        {EDQUOT, ERR_FULL},   {ENOENT, ERR_NOT_FOUND},
        {EEXIST, ERR_EXISTS}, {EACCES, ERR_DENIED},
        {EROFS, ERR_DENIED},  {EINVAL, ERR_INVALID},
        {EAGAIN, ERR_BUSY},   {EMFILE, ERR_LIMIT},
        {EIO, ERR_IO},        {12345, ERR_IO},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        CHECK(err_from_errno(rows[i].number) == rows[i].want);
    struct err_text why;
    errno = EXDEV;
    CHECK(err_set(&why, ERR_IO, "%s", "x") == ERR_IO && errno == EXDEV);
}

static CU_TestInfo tests[] = {
    {"errors have names and texts", errors_have_names_and_texts},
    {"a sentence is cut, not overrun", a_sentence_is_cut_not_overrun},
    {"errno is kept and translated", errno_is_kept_and_translated},
    CU_TEST_INFO_NULL,
};

int main(void)
{
    return check_run("err", tests);
}
