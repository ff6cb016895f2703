// SPDX-License-Identifier: Apache-2.0
#include "collector/guard.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/crypto.h"
#include "base/log.h"
#include "base/mem.h"

#define GUARD_MAGIC    UINT64_C(0x3144524155474343) /* "CCGUARD1" */
#define GUARD_ROWS     64
#define GUARD_SIGNALS  (sizeof watched / sizeof watched[0])
#define GUARD_FILE_LEN sizeof(struct guard_file)

/* The file, in the byte order of this machine: it never leaves it. */
struct guard_row {
    uint64_t position; /* 0: free */
    uint64_t print;    /* of the bytes, 0 while it is not known */
    uint32_t who;
    uint32_t crashes;
    uint32_t is_told;
    uint32_t reserved;
};

struct guard_slot {
    volatile uint64_t position; /* being taken, 0 between records */
    volatile uint64_t crashed;  /* set by the signal handler: `position` of then */
};

struct guard_file {
    uint64_t magic;
    uint64_t next; /* row to be used next, when none is free */
    struct guard_slot slots[4];
    struct guard_row rows[GUARD_ROWS];
};

static_assert(GUARD_COUNT <= 4, "a slot for each");
static_assert(sizeof(struct guard_row) == 32, "on disk");

struct guard {
    struct guard_file *file; /* mapped; a slot and its rows belong to one thread each */
    bool has_rows[GUARD_COUNT];
    bool has_poison[GUARD_COUNT]; /* only then are bytes worth a hash */
};

static const int watched[] = {SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGABRT};

/* For the signal handler alone, which is given no context. */
static struct sigaction before[GUARD_SIGNALS];
static _Thread_local struct guard_slot *inside;

const char *guard_name(enum guard_who who)
{
    static const char *const names[] = {
#define X(name, text) text,
        GUARD_LIST(X)
#undef X
    };
    assert(who < GUARD_COUNT);
    return names[who];
}

/* Runs in the thread that did it, except for signals which somebody sent. */
static void on_crash(int number, siginfo_t *info, void *context)
{
    (void)context;
    struct guard_slot *slot = inside;
    if (slot != NULL)
        slot->crashed = slot->position;
    for (size_t i = 0; i < GUARD_SIGNALS; i++)
        if (watched[i] == number)
            sigaction(number, &before[i], NULL);
    /* A fault happens again on return; what was sent has to be sent again. */
    if (info->si_code <= 0)
        raise(number);
}

static void watch_signals(void)
{
    struct sigaction action = {.sa_sigaction = on_crash, .sa_flags = SA_SIGINFO};
    sigemptyset(&action.sa_mask);
    for (size_t i = 0; i < GUARD_SIGNALS; i++)
        if (sigaction(watched[i], &action, &before[i]) != 0)
            log_fatal("a signal cannot be watched number=%d", watched[i]);
}

static struct guard_row *find_row(const struct guard *guard, enum guard_who who,
                                  uint64_t position)
{
    for (size_t i = 0; i < GUARD_ROWS; i++) {
        struct guard_row *row = &guard->file->rows[i];
        if (row->position == position && row->who == (uint32_t)who)
            return row;
    }
    return NULL;
}

/* The oldest makes room: a bug that poisons so many records is no matter of records. */
static struct guard_row *make_row(struct guard *guard, enum guard_who who,
                                  uint64_t position)
{
    struct guard_row *row = &guard->file->rows[guard->file->next++ % GUARD_ROWS];
    *row = (struct guard_row){.position = position, .who = (uint32_t)who};
    return row;
}

static void count_crashes(struct guard *guard)
{
    for (enum guard_who who = 0; who < GUARD_COUNT; who++) {
        struct guard_slot *slot = &guard->file->slots[who];
        struct guard_row *row = NULL;
        if (slot->crashed != 0) {
            row = find_row(guard, who, slot->crashed);
            if (row == NULL)
                row = make_row(guard, who, slot->crashed);
            row->crashes++;
            log_error("the last run crashed follower=%s position=%" PRIu64 " times=%u",
                      guard_name(who), row->position, row->crashes);
        }
        *slot = (struct guard_slot){0};
        for (size_t i = 0; i < GUARD_ROWS; i++) {
            row = &guard->file->rows[i];
            bool is_mine = row->position != 0 && row->who == (uint32_t)who;
            guard->has_rows[who] |= is_mine;
            guard->has_poison[who] |= is_mine && row->crashes >= GUARD_CRASHES;
        }
    }
}

/* Every byte is written before it is mapped: a full disk shows here, not as SIGBUS. */
static enum err fill_file(int fd, struct guard_file *file)
{
    ssize_t had = pread(fd, file, GUARD_FILE_LEN, 0);
    if (had != (ssize_t)GUARD_FILE_LEN || file->magic != GUARD_MAGIC)
        *file = (struct guard_file){.magic = GUARD_MAGIC};
    errno = ENOSPC;
    return pwrite(fd, file, GUARD_FILE_LEN, 0) == (ssize_t)GUARD_FILE_LEN
               ? ERR_OK
               : err_from_errno(errno);
}

enum err guard_open(struct guard **result, const char *path, struct err_text *why)
{
    *result = NULL;
    int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0640);
    if (fd < 0)
        return err_set(why, err_from_errno(errno), "%s: %s", path, strerror(errno));
    struct guard_file *copy = mem_alloc(GUARD_FILE_LEN);
    enum err err = fill_file(fd, copy);
    free(copy);
    void *file = MAP_FAILED;
    if (err == ERR_OK)
        file = mmap(NULL, GUARD_FILE_LEN, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    close(fd);
    if (file == MAP_FAILED)
        return err_set(why, err != ERR_OK ? err : ERR_IO, "%s: %s", path,
                       strerror(errno));
    struct guard *guard = mem_alloc(sizeof *guard);
    guard->file = file;
    count_crashes(guard);
    watch_signals();
    *result = guard;
    return ERR_OK;
}

void guard_close(struct guard *guard)
{
    if (guard == NULL)
        return;
    for (size_t i = 0; i < GUARD_SIGNALS; i++)
        if (sigaction(watched[i], &before[i], NULL) != 0)
            log_warn("a signal stays watched number=%d", watched[i]);
    munmap(guard->file, GUARD_FILE_LEN);
    free(guard);
}

static uint64_t print_of(const void *data, size_t len)
{
    uint8_t digest[CRYPTO_DIGEST_BYTES];
    uint64_t print;
    crypto_digest(digest, (const uint8_t *)data + 1, len - 1);
    memcpy(&print, digest, sizeof print);
    return print != 0 ? print : 1;
}

/* Rows of other followers are left alone: their threads write them. */
static unsigned crashes_of_bytes(const struct guard *guard, enum guard_who who,
                                 uint64_t print)
{
    unsigned crashes = 0;
    for (size_t i = 0; i < GUARD_ROWS; i++) {
        const struct guard_row *row = &guard->file->rows[i];
        if (row->who == (uint32_t)who && row->print == print &&
            row->crashes >= GUARD_CRASHES && row->crashes > crashes)
            crashes = row->crashes;
    }
    return crashes;
}

static unsigned crashes_of(const struct guard *guard, enum guard_who who,
                           uint64_t position, const void *data, size_t len)
{
    struct guard_row *row = find_row(guard, who, position);
    uint64_t print = len > 1 && guard->has_poison[who] ? print_of(data, len) : 0;
    if (row == NULL)
        return print != 0 ? crashes_of_bytes(guard, who, print) : 0;
    if (row->print == 0)
        row->print = print;
    /* Other bytes at the same place: the row is of a journal that was here before. */
    return row->print == print || print == 0 ? row->crashes : 0;
}

unsigned guard_enter(struct guard *guard, enum guard_who who, uint64_t position,
                     const void *data, size_t len)
{
    assert(who < GUARD_COUNT);
    if (guard == NULL)
        return 0;
    inside = &guard->file->slots[who];
    inside->position = position;
    return guard->has_rows[who] ? crashes_of(guard, who, position, data, len) : 0;
}

void guard_leave(struct guard *guard, enum guard_who who)
{
    assert(who < GUARD_COUNT);
    if (guard == NULL)
        return;
    guard->file->slots[who].position = 0;
    inside = NULL;
}

bool guard_is_news(struct guard *guard, enum guard_who who, uint64_t position)
{
    struct guard_row *row = find_row(guard, who, position);
    if (row == NULL) /* the same bytes once more */
        return true;
    bool is_news = row->is_told == 0;
    row->is_told = 1;
    return is_news;
}
