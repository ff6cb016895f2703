// SPDX-License-Identifier: Apache-2.0
#include "coldchainctl/terminal.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

#include "base/clock.h"

#define KEYS_MAX     64
#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* Alternate screen, no cursor, no wrapping; and back. */
static const char enter_text[] = "\033[?1049h\033[?25l\033[?7l\033[2J";
static const char leave_text[] = "\033[?7h\033[?25h\033[0m\033[?1049l";

/* Signals take no context: what they need stands here. */
static struct termios before;
static volatile sig_atomic_t is_open;
static volatile sig_atomic_t ended_by;
static volatile sig_atomic_t is_resized;
static volatile sig_atomic_t is_stopped;
static sigset_t outside; /* the mask while nobody waits */

static const int ending[] = {SIGINT, SIGTERM, SIGHUP, SIGQUIT};
static const int crashing[] = {SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGABRT};

/* Keys that came together. */
static char keys[KEYS_MAX];
static size_t key_count;

static void put(const char *text, size_t len)
{
    while (len > 0) {
        ssize_t put_now = write(STDOUT_FILENO, text, len);
        if (put_now < 0 && errno == EINTR)
            continue;
        if (put_now <= 0)
            return; /* the terminal is gone */
        text += put_now;
        len -= (size_t)put_now;
    }
}

/* Safe in a signal handler. */
static void leave(void)
{
    if (!is_open)
        return;
    is_open = 0;
    put(leave_text, sizeof leave_text - 1);
    tcsetattr(STDIN_FILENO, TCSANOW, &before);
}

static void enter(void)
{
    struct termios raw = before;
    raw.c_lflag &= ~(tcflag_t)(ICANON | ECHO);
    raw.c_iflag &= ~(tcflag_t)(IXON);
    raw.c_cc[VMIN] = 0;
    raw.c_cc[VTIME] = 0;
    tcsetattr(STDIN_FILENO, TCSANOW, &raw);
    put(enter_text, sizeof enter_text - 1);
    is_open = 1;
    is_resized = 1;
}

static void on_signal(int number)
{
    if (number == SIGWINCH)
        is_resized = 1;
    else if (number == SIGTSTP)
        is_stopped = 1;
    else
        ended_by = number;
}

static void on_crash(int number)
{
    leave();
    raise(number); /* SA_RESETHAND: it ends us this time */
}

static void watch(int number, void (*handler)(int), int flags)
{
    struct sigaction action = {.sa_handler = handler, .sa_flags = flags};
    sigemptyset(&action.sa_mask);
    sigaction(number, &action, NULL);
}

/* They come only while terminal_wait() waits, so that none is missed between. */
static void watch_signals(void)
{
    sigset_t held;
    sigemptyset(&held);
    for (size_t i = 0; i < COUNT(ending); i++) {
        watch(ending[i], on_signal, 0);
        sigaddset(&held, ending[i]);
    }
    watch(SIGWINCH, on_signal, 0);
    watch(SIGTSTP, on_signal, 0);
    sigaddset(&held, SIGWINCH);
    sigaddset(&held, SIGTSTP);
    for (size_t i = 0; i < COUNT(crashing); i++)
        watch(crashing[i], on_crash, (int)SA_RESETHAND);
    sigprocmask(SIG_BLOCK, &held, &outside);
}

enum err terminal_open(struct err_text *why)
{
    if (isatty(STDIN_FILENO) != 1 || isatty(STDOUT_FILENO) != 1 ||
        tcgetattr(STDIN_FILENO, &before) != 0)
        return err_set(why, ERR_UNSUPPORTED, "this is no terminal");
    watch_signals();
    atexit(leave);
    enter();
    return ERR_OK;
}

void terminal_close(void)
{
    leave();
    sigprocmask(SIG_SETMASK, &outside, NULL);
}

int terminal_signal(void)
{
    return ended_by;
}

void terminal_size(size_t *columns, size_t *lines)
{
    struct winsize size = {0};
    bool is_known = ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0;
    *columns = is_known && size.ws_col > 0 ? size.ws_col : 80;
    *lines = is_known && size.ws_row > 0 ? size.ws_row : 24;
}

int terminal_parse_key(const char *bytes, size_t len, size_t *used)
{
    static const struct {
        const char *text;
        int event;
    } known[] = {
        {"\033[A", TERMINAL_UP},       {"\033OA", TERMINAL_UP},
        {"\033[B", TERMINAL_DOWN},     {"\033OB", TERMINAL_DOWN},
        {"\033[5~", TERMINAL_PAGE_UP}, {"\033[6~", TERMINAL_PAGE_DOWN},
        {"\033[H", TERMINAL_HOME},     {"\033OH", TERMINAL_HOME},
        {"\033[1~", TERMINAL_HOME},    {"\033[F", TERMINAL_END},
        {"\033OF", TERMINAL_END},      {"\033[4~", TERMINAL_END},
    };
    *used = 1;
    if (bytes[0] != '\033')
        return (unsigned char)bytes[0];
    for (size_t i = 0; i < COUNT(known); i++) {
        size_t key_len = strlen(known[i].text);
        if (len >= key_len && memcmp(bytes, known[i].text, key_len) == 0) {
            *used = key_len;
            return known[i].event;
        }
    }
    /* A sequence that is not known goes as a whole: its letters are no keys. */
    size_t at = 1;
    if (at < len && (bytes[at] == '[' || bytes[at] == 'O')) {
        at++;
        while (at < len && ((unsigned char)bytes[at] < 0x40 || bytes[at] == 0x7F))
            at++;
        at += at < len;
    }
    *used = at;
    return TERMINAL_OTHER;
}

static int take_key(void)
{
    size_t used;
    int key = terminal_parse_key(keys, key_count, &used);
    key_count -= used;
    memmove(keys, keys + used, key_count);
    return key;
}

/* Ctrl-Z: the shell gets its screen, and we ours when it lets us go on. */
static void stop(void)
{
    is_stopped = 0;
    leave();
    raise(SIGSTOP);
    enter();
}

int terminal_wait(int64_t timeout_ms)
{
    int64_t end_ms = clock_real_ms() + timeout_ms;
    for (;;) {
        if (ended_by != 0)
            return TERMINAL_ENDED;
        if (is_stopped)
            stop();
        if (is_resized) {
            is_resized = 0;
            return TERMINAL_RESIZED;
        }
        if (key_count > 0)
            return take_key();
        int64_t left_ms = end_ms - clock_real_ms();
        struct timespec wait = {.tv_sec = left_ms > 0 ? left_ms / 1000 : 0,
                                .tv_nsec = left_ms > 0 ? left_ms % 1000 * 1000000 : 0};
        struct pollfd input = {.fd = STDIN_FILENO, .events = POLLIN};
        int ready = ppoll(&input, 1, &wait, &outside);
        if (ready < 0)
            continue; /* a signal: looked at above */
        if (ready == 0)
            return TERMINAL_NOTHING;
        ssize_t got = read(STDIN_FILENO, keys, sizeof keys);
        if (got <= 0)
            return TERMINAL_ENDED;
        key_count = (size_t)got;
    }
}
