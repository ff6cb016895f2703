// SPDX-License-Identifier: Apache-2.0
#include <stddef.h>
#include <stdint.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/notify.h"
#include "tests/support/check.h"
#include "tests/support/folder.h"

#define BOUND_S 20

/* What systemd would be: a datagram socket at a path or in the abstract name space. */
static int listen_at(const char *name, size_t len)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    memcpy(address.sun_path, name, len);
    int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    socklen_t size = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + len);
    struct timeval bound = {.tv_sec = BOUND_S};
    CHECK(bind(fd, (struct sockaddr *)&address, size) == 0);
    CHECK(setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &bound, sizeof bound) == 0);
    return fd;
}

static const char *hear(int fd)
{
    static char text[64];
    ssize_t len = recv(fd, text, sizeof text - 1, 0);
    text[len > 0 ? len : 0] = '\0';
    return text;
}

static void states_reach_the_supervisor(void)
{
    struct folder folder;
    folder_make(&folder);
    const char *path = folder_file(&folder, "notify");
    char abstract[64];
    int len = snprintf(abstract, sizeof abstract, "@coldchain-test-%d", (int)getpid());
    char hidden[64];
    memcpy(hidden, abstract, sizeof hidden);
    hidden[0] = '\0';
    const struct {
        const char *name;
        int fd;
    } rows[] = {
        {path, listen_at(path, strlen(path))},
        {abstract, listen_at(hidden, (size_t)len)},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        setenv("NOTIFY_SOCKET", rows[i].name, 1);
        notify_ready();
        CHECK_TEXT(hear(rows[i].fd), "READY=1");
        notify_stopping();
        CHECK_TEXT(hear(rows[i].fd), "STOPPING=1");
        close(rows[i].fd);
    }
    unsetenv("NOTIFY_SOCKET");
    folder_remove(&folder);
}

static void nobody_who_listens_is_no_trouble(void)
{
    char too_long[200];
    memset(too_long, 'x', sizeof too_long);
    too_long[sizeof too_long - 1] = '\0';
    const char *const names[] = {"", "/nonexistent/socket", too_long};
    unsetenv("NOTIFY_SOCKET");
    notify_ready();
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        setenv("NOTIFY_SOCKET", names[i], 1);
        notify_ready();
    }
    unsetenv("NOTIFY_SOCKET");
    CHECK(true);
}

struct listener {
    struct loop *loop;
    int fd;
    int heard;
};

static void count_ping(void *context, uint32_t events)
{
    struct listener *listener = context;
    CHECK((events & EPOLLIN) != 0);
    CHECK_TEXT(hear(listener->fd), "WATCHDOG=1");
    if (++listener->heard == 3)
        loop_stop(listener->loop);
}

static void the_watchdog_hears_a_loop_that_turns(void)
{
    struct folder folder;
    folder_make(&folder);
    const char *path = folder_file(&folder, "notify");
    struct listener listener = {loop_create(), listen_at(path, strlen(path)), 0};
    struct loop_watch *watch = NULL;
    char pid[32];
    snprintf(pid, sizeof pid, "%d", (int)getpid());
    setenv("NOTIFY_SOCKET", path, 1);
    setenv("WATCHDOG_USEC", "20000", 1);
    setenv("WATCHDOG_PID", pid, 1);
    CHECK(loop_watch_create(&watch, listener.loop, listener.fd, EPOLLIN, count_ping,
                            &listener) == ERR_OK);
    struct notify_watchdog *watchdog = notify_watchdog_create(listener.loop);
    CHECK(watchdog != NULL);
    loop_run(listener.loop);
    CHECK(listener.heard == 3);
    notify_watchdog_destroy(watchdog);
    loop_watch_destroy(watch);
    loop_destroy(listener.loop);
    close(listener.fd);
    unsetenv("NOTIFY_SOCKET");
    folder_remove(&folder);
}

static void no_watchdog_unless_asked_for(void)
{
    static const struct {
        const char *usec;
        const char *pid;
    } rows[] = {{NULL, NULL}, {"0", NULL}, {"x", NULL}, {"-5", NULL}, {"20000", "1"}};
    struct loop *loop = loop_create();
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        unsetenv("WATCHDOG_USEC");
        unsetenv("WATCHDOG_PID");
        if (rows[i].usec != NULL)
            setenv("WATCHDOG_USEC", rows[i].usec, 1);
        if (rows[i].pid != NULL)
            setenv("WATCHDOG_PID", rows[i].pid, 1);
        CHECK(notify_watchdog_create(loop) == NULL);
    }
    notify_watchdog_destroy(NULL);
    loop_destroy(loop);
}

static CU_TestInfo tests[] = {
    {"states reach the supervisor", states_reach_the_supervisor},
    {"nobody who listens is no trouble", nobody_who_listens_is_no_trouble},
    {"the watchdog hears a loop that turns", the_watchdog_hears_a_loop_that_turns},
    {"no watchdog unless asked for", no_watchdog_unless_asked_for},
    CU_TEST_INFO_NULL,
};

int main(void)
{
    return check_run("notify", tests);
}
