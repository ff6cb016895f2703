// SPDX-License-Identifier: Apache-2.0
#include "edge-agent/tap.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/mem.h"

struct tap {
    int fd;
    struct sockaddr_un address;
    uint64_t missed;
};

enum err tap_open(struct tap **result, const char *path, struct err_text *why)
{
    *result = NULL;
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    if (strlen(path) >= sizeof address.sun_path)
        return err_set(why, ERR_INVALID, "tap.socket: a path of at most %zu bytes",
                       sizeof address.sun_path - 1);
    memcpy(address.sun_path, path, strlen(path) + 1);
    int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0)
        return err_set(why, err_from_errno(errno), "tap.socket: %s", strerror(errno));
    struct tap *tap = mem_alloc(sizeof *tap);
    tap->fd = fd;
    tap->address = address;
    *result = tap;
    return ERR_OK;
}

void tap_close(struct tap *tap)
{
    if (tap == NULL)
        return;
    close(tap->fd);
    free(tap);
}

void tap_tell(struct tap *tap, const char *org, const char *device, uint64_t epoch,
              uint64_t seq, const void *bytes, size_t len)
{
    char name[256];
    int name_len = snprintf(name, sizeof name, "%s/%s %016" PRIx64 " %" PRIu64 "\n", org,
                            device, epoch, seq);
    struct iovec pieces[] = {
        {.iov_base = name, .iov_len = (size_t)name_len},
        {.iov_base = (void *)(uintptr_t)bytes, .iov_len = len},
    };
    const struct msghdr message = {
        .msg_name = &tap->address,
        .msg_namelen = sizeof tap->address,
        .msg_iov = pieces,
        .msg_iovlen = 2,
    };
    if (sendmsg(tap->fd, &message, MSG_NOSIGNAL) < 0)
        tap->missed++;
}

uint64_t tap_missed(const struct tap *tap)
{
    return tap->missed;
}
