// SPDX-License-Identifier: Apache-2.0
#include "base/notify.h"

#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/mem.h"

static void notify(const char *text)
{
    const char *path = getenv("NOTIFY_SOCKET");
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    size_t len = path != NULL ? strlen(path) : 0;
    if (len == 0 || len >= sizeof address.sun_path)
        return;
    memcpy(address.sun_path, path, len);
    if (path[0] == '@') /* the abstract name space */
        address.sun_path[0] = '\0';
    int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return;
    socklen_t size = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + len);
    if (sendto(fd, text, strlen(text), MSG_NOSIGNAL, (struct sockaddr *)&address, size) <
        0) {
        /* the supervisor has its own time-out */
    }
    close(fd);
}

void notify_ready(void)
{
    notify("READY=1");
}

void notify_stopping(void)
{
    notify("STOPPING=1");
}

struct notify_watchdog {
    struct loop_timer *timer;
    int64_t period_ms;
};

static void tell_alive(void *context)
{
    struct notify_watchdog *watchdog = context;
    notify("WATCHDOG=1");
    loop_timer_arm(watchdog->timer, watchdog->period_ms);
}

/* 0: none is asked for, or of another process. */
static int64_t asked_ms(void)
{
    const char *usec = getenv("WATCHDOG_USEC");
    const char *pid = getenv("WATCHDOG_PID");
    if (usec == NULL || (pid != NULL && strtol(pid, NULL, 10) != getpid()))
        return 0;
    int64_t ms = strtoll(usec, NULL, 10) / 1000;
    return ms > 0 ? ms : 0;
}

struct notify_watchdog *notify_watchdog_create(struct loop *loop)
{
    int64_t ms = asked_ms();
    if (ms == 0)
        return NULL;
    struct notify_watchdog *watchdog = mem_alloc(sizeof *watchdog);
    watchdog->period_ms = ms / 2; /* as sd_watchdog_enabled(3) recommends */
    watchdog->timer = loop_timer_create(loop, tell_alive, watchdog);
    loop_timer_arm(watchdog->timer, 0);
    return watchdog;
}

void notify_watchdog_destroy(struct notify_watchdog *watchdog)
{
    if (watchdog == NULL)
        return;
    loop_timer_destroy(watchdog->timer);
    free(watchdog);
}
