// SPDX-License-Identifier: Apache-2.0
/*
 * terminal - a screen of its own that follows keys, and gives the terminal back.
 *
 * While it is open, keys come one by one and are not shown, and the shell's screen waits
 * behind. It is given back by terminal_close(), at exit(), before a stop (Ctrl-Z) and
 * when a signal or a crash ends the program. One per process, one thread.
 */
#ifndef COLDCHAIN_COLDCHAINCTL_TERMINAL_H
#define COLDCHAIN_COLDCHAINCTL_TERMINAL_H

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

/* What terminal_wait() returns beside characters. */
enum terminal_event {
    TERMINAL_NOTHING = 0, /* the time is over */
    TERMINAL_RESIZED = 256,
    TERMINAL_ENDED, /* a signal, or nobody is at the keyboard any more */
    TERMINAL_UP,
    TERMINAL_DOWN,
    TERMINAL_PAGE_UP,
    TERMINAL_PAGE_DOWN,
    TERMINAL_HOME,
    TERMINAL_END,
    TERMINAL_OTHER, /* a key without a meaning here */
};

/* UNSUPPORTED: stdin or stdout is no terminal. */
MUST_CHECK enum err terminal_open(struct err_text *why);
void terminal_close(void);

/* The next character or event, or TERMINAL_NOTHING after the timeout. */
int terminal_wait(int64_t timeout_ms);

/* The signal that ended it, 0: none. */
int terminal_signal(void);

void terminal_size(size_t *columns, size_t *lines);

/* The event that the bytes begin with, and how many bytes it takes; len > 0. Pure. */
int terminal_parse_key(const char *bytes, size_t len, size_t *used);

#endif
