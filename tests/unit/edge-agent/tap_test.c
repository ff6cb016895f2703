// SPDX-License-Identifier: Apache-2.0
#include "edge-agent/tap.h"

#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "tests/support/check.h"
#include "tests/support/folder.h"

static int listen_at(const char *path)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    snprintf(address.sun_path, sizeof address.sun_path, "%s", path);
    int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    CHECK(fd >= 0 && bind(fd, (struct sockaddr *)&address, sizeof address) == 0);
    return fd;
}

static void tells_name_and_bytes(void)
{
    char got[256] = "";
    struct folder folder;
    folder_make(&folder);
    const char *path = folder_file(&folder, "tap");
    int fd = listen_at(path);
    struct tap *tap = NULL;
    struct err_text why = {0};
    CHECK(tap_open(&tap, path, &why) == ERR_OK);
    tap_tell(tap, "fengjie", "room-1", 0xaa, 17, "[{}]", 4);
    ssize_t len = recv(fd, got, sizeof got - 1, 0);
    CHECK(len > 0);
    CHECK_TEXT(got, "fengjie/room-1 00000000000000aa 17\n[{}]");
    CHECK(tap_missed(tap) == 0);
    tap_close(tap);
    close(fd);
    folder_remove(&folder);
}

static void never_waits_for_a_listener(void)
{
    struct folder folder;
    folder_make(&folder);
    const char *path = folder_file(&folder, "tap");
    struct tap *tap = NULL;
    struct err_text why = {0};
    CHECK(tap_open(&tap, path, &why) == ERR_OK);
    tap_tell(tap, "o", "d", 1, 1, "x", 1);
    CHECK(tap_missed(tap) == 1);
    int fd = listen_at(path); /* it comes later, and is slow */
    for (uint64_t seq = 2; seq < 10000; seq++)
        tap_tell(tap, "o", "d", 1, seq, "x", 1);
    CHECK(tap_missed(tap) > 1 && tap_missed(tap) < 9999);
    tap_close(tap);
    close(fd);
    folder_remove(&folder);
}

static void a_path_that_is_too_long_is_refused(void)
{
    char path[200];
    memset(path, 'a', sizeof path - 1);
    path[sizeof path - 1] = '\0';
    struct tap *tap = NULL;
    struct err_text why = {0};
    CHECK(tap_open(&tap, path, &why) == ERR_INVALID);
    CHECK_TEXT(why.text, "tap.socket: a path of at most 107 bytes");
    tap_close(tap);
}

static CU_TestInfo tests[] = {
    {"tells name and bytes", tells_name_and_bytes},
    {"never waits for a listener", never_waits_for_a_listener},
    {"a path that is too long is refused", a_path_that_is_too_long_is_refused},
    CU_TEST_INFO_NULL,
};

int main(void)
{
    return check_run("tap", tests);
}
