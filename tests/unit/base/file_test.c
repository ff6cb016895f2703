// SPDX-License-Identifier: Apache-2.0
#include "base/file.h"

#include <unistd.h>

#include "tests/support/check.h"

static void a_file_is_read_whole_and_ends_with_nul(void)
{
    static const size_t sizes[] = {0, 1, 65535, 65536, 65537, 300000};
    char path[] = "/tmp/file-test-XXXXXX";
    int fd = mkstemp(path);
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        struct buf buf = {0};
        CHECK(ftruncate(fd, (off_t)sizes[i]) == 0);
        CHECK(file_read(&buf, path, 300000, NULL) == ERR_OK);
        CHECK(buf.len == sizes[i] && buf.data[buf.len] == '\0');
        buf_fini(&buf);
    }
    close(fd);
    unlink(path);
}

static void what_cannot_be_read_is_refused(void)
{
    static const struct {
        const char *path;
        enum err want;
        const char *want_why;
    } rows[] = {
        {"/nonexistent", ERR_NOT_FOUND,
         "cannot read /nonexistent: No such file or directory"},
        {"/tmp", ERR_IO, "cannot read /tmp: Is a directory"},
        {"/dev/zero", ERR_LIMIT, "/dev/zero is larger than 1000 bytes"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct buf buf = {0};
        struct err_text why;
        CHECK_ROW(rows[i].path,
                  file_read(&buf, rows[i].path, 1000, &why) == rows[i].want);
        CHECK_TEXT(why.text, rows[i].want_why);
        buf_fini(&buf);
    }
}

static void folders_are_made_with_their_parents(void)
{
    char root[] = "/tmp/coldchain-file-XXXXXX";
    CHECK(mkdtemp(root) != NULL);
    char path[200];
    struct err_text why;
    snprintf(path, sizeof path, "%s/a/b/c", root);
    CHECK(file_make_dirs(path, &why) == ERR_OK);
    CHECK(access(path, W_OK) == 0);
    CHECK(file_make_dirs(path, &why) == ERR_OK);
    CHECK(file_make_dirs("/proc/none/here", &why) != ERR_OK);
    CHECK(strstr(why.text, "/proc/none") != NULL);
    for (int i = 0; i < 4; i++) {
        CHECK(rmdir(path) == 0);
        *strrchr(path, '/') = '\0';
    }
}

static void a_folder_is_synced(void)
{
    CHECK(file_sync_dir("/tmp") == ERR_OK);
    CHECK(file_sync_dir("/nonexistent") == ERR_NOT_FOUND);
    CHECK(file_sync_dir("/dev/null") == ERR_IO);
}

static CU_TestInfo tests[] = {
    {"folders are made with their parents", folders_are_made_with_their_parents},
    {"a file is read whole and ends with NUL", a_file_is_read_whole_and_ends_with_nul},
    {"what cannot be read is refused", what_cannot_be_read_is_refused},
    {"a folder is synced", a_folder_is_synced},
    CU_TEST_INFO_NULL,
};

int main(void)
{
    return check_run("file", tests);
}
