// SPDX-License-Identifier: Apache-2.0
/*
 * clock - the only place that reads clocks, and the virtual clock of simulations.
 *
 * Wall time is milliseconds since the Unix epoch, UTC. Boot time is CLOCK_BOOTTIME,
 * which goes on during suspend and never steps. A virtual clock maps real time to
 * virtual wall and boot time by an origin and a rate; timers of delivery, commit,
 * reconnect and HTTP stay real and use clock_real_ms(). Reading is safe in any thread.
 */
#ifndef COLDCHAIN_BASE_CLOCK_H
#define COLDCHAIN_BASE_CLOCK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <time.h>

enum clock_state {
    CLOCK_UNSET,   /* before the build time: no battery, no network yet */
    CLOCK_STEPPED, /* plausible, not under control of a time service */
    CLOCK_SYNCED,  /* the kernel says that it is synchronised */
};

struct clock {
    bool is_virtual;
    int64_t origin_wall_ms; /* virtual wall time at origin_real_ms */
    int64_t origin_real_ms; /* CLOCK_BOOTTIME */
    double rate;            /* virtual milliseconds per real millisecond */
    int64_t set_real_ms;    /* before this it is unset and began in 1970; 0: never */
};

/* Real time. */
void clock_init(struct clock *clock);

/*
 * Virtual time that showed wall_ms when CLOCK_BOOTTIME was real_ms. All processes of
 * one simulation are given the same three numbers. rate > 0.
 */
void clock_init_virtual(struct clock *clock, int64_t wall_ms, int64_t real_ms,
                        double rate);

/* A virtual clock that is set late, when CLOCK_BOOTTIME is set_real_ms. */
void clock_set_late(struct clock *clock, int64_t set_real_ms);
/* False of a virtual one that is set from the beginning: wall time alone is enough. */
bool clock_may_step(const struct clock *clock);

int64_t clock_wall_ms(const struct clock *clock);
/* Virtual under a virtual clock. */
int64_t clock_boot_ms(const struct clock *clock);
enum clock_state clock_state_of(const struct clock *clock);
const char *clock_state_name(enum clock_state state);
/* False for an unknown name. */
bool clock_state_parse(enum clock_state *state, const char *name);

/* Real milliseconds and nanoseconds that never step, for delivery and I/O timers. */
int64_t clock_real_ms(void);
int64_t clock_real_ns(void);
/* So long from now, for waits on a condition that goes by CLOCK_MONOTONIC. */
struct timespec clock_deadline(int64_t wait_ms);

/* Random per boot of this machine, from the kernel; 16 hex digits and a NUL. */
void clock_boot_id(char id[17]);

/* "2026-11-23T08:00:00.000Z" with a NUL: 25 bytes. Years 0000 to 9999. */
#define CLOCK_ISO_MAX 32
const char *clock_format_iso(char text[CLOCK_ISO_MAX], int64_t wall_ms);
/* RFC 3339 with Z or an offset, fraction optional; a date alone is midnight UTC. */
bool clock_parse_iso(int64_t *wall_ms, const char *text);

#endif
