// SPDX-License-Identifier: Apache-2.0
#include "coldchainctl/manifest.h"

#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/file.h"
#include "tests/support/check.h"

/* The corpus of its fuzzer: the first byte is not part of the archive. */
static enum err verify(const char *name, struct manifest_check *check,
                       struct err_text *why)
{
    struct buf bytes = {0};
    char from[1024];
    char path[] = "/tmp/manifest-test-XXXXXX.tar";
    const char *source = getenv("COLDCHAIN_SOURCE");
    snprintf(from, sizeof from, "%s/tests/fuzz/corpus/archive_fuzz/%s",
             source != NULL ? source : ".", name);
    CHECK(file_read(&bytes, from, 1 << 20, why) == ERR_OK);
    int fd = mkstemps(path, 4);
    CHECK(fd >= 0 && bytes.len > 1 &&
          write(fd, bytes.data + 1, bytes.len - 1) == (ssize_t)(bytes.len - 1));
    close(fd);
    enum err err = manifest_verify(check, path, NULL, "verify", why);
    unlink(path);
    buf_fini(&bytes);
    return err;
}

static void what_is_no_whole_backup_is_refused(void)
{
    static const struct {
        const char *name;
        enum err want;
        const char *words;
    } rows[] = {
        {"whole.tar", ERR_OK, ""},
        {"base256.tar", ERR_OK, ""},
        {"torn.tar", ERR_CORRUPT, "ends in the middle of a file"},
        {"no-manifest.tar", ERR_CORRUPT, "has no manifest"},
        {"outside.tar", ERR_CORRUPT, "is no backup"},
        {"twice.tar", ERR_CORRUPT, "state.db is in it twice"},
        {"newer.tar", ERR_UNSUPPORTED, "newer coldchainctl"},
        {"link.tar", ERR_CORRUPT, "is no backup"},
        {"huge.tar", ERR_CORRUPT, "ends in the middle of a file"},
        {"minus.tar", ERR_CORRUPT, "is no backup"},
        {"empty.tar", ERR_CORRUPT, "has no manifest"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct manifest_check check;
        struct err_text why = {""};
        CHECK_ROW(rows[i].name, verify(rows[i].name, &check, &why) == rows[i].want);
        CHECK_ROW(rows[i].name, strstr(why.text, rows[i].words) != NULL);
        CHECK_ROW(rows[i].name, rows[i].want != ERR_OK || check.files == 3);
        manifest_check_fini(&check);
    }
}

int main(void)
{
    CU_TestInfo tests[] = {
        {"what is no whole backup is refused", what_is_no_whole_backup_is_refused},
        CU_TEST_INFO_NULL,
    };
    return check_run("manifest", tests);
}
