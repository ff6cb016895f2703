// SPDX-License-Identifier: Apache-2.0
#include "tests/sim/swarm.h"

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define JOBS_MAX    64
#define CHUNK       64 /* seeds a worker takes at once */
#define TOLD_BROKEN 5  /* lives told in the end, then only counted */

/* Shared by the workers. */
struct worker {
    struct swarm_tally tally;
    _Atomic uint64_t seed; /* being lived */
    pid_t pid;
};

struct campaign {
    const struct swarm *swarm;
    uint64_t first;
    uint64_t seeds;
    unsigned jobs;
    _Atomic uint64_t next; /* offset of the next chunk */
    _Atomic uint64_t done;
    _Atomic uint64_t told;
    struct worker workers[JOBS_MAX];
};

struct options {
    uint64_t first;
    uint64_t seeds;
    uint64_t seed; /* 0: all */
    uint64_t jobs;
    const char *json;
};

void swarm_broke(struct swarm_life *life, const char *name, const char *format, ...)
{
    if (life->why[0] != '\0')
        return;
    int len = snprintf(life->why, sizeof life->why, "%s: ", name);
    va_list args;
    va_start(args, format);
    vsnprintf(life->why + len, sizeof life->why - (size_t)len, format, args);
    va_end(args);
    life->tally.failed = 1;
}

void swarm_say(const struct swarm_life *life, const char *format, ...)
{
    if (!life->is_told)
        return;
    va_list args;
    va_start(args, format);
    printf("  ");
    vprintf(format, args);
    putchar('\n');
    va_end(args);
}

static void add_tally(struct swarm_tally *sum, const struct swarm_tally *more)
{
    sum->lives += more->lives;
    sum->steps += more->steps;
    sum->lost += more->lost;
    sum->doubled += more->doubled;
    sum->failed += more->failed;
    for (size_t i = 0; i < SWARM_KINDS_MAX; i++)
        sum->kinds[i] += more->kinds[i];
}

static void live_one(struct campaign *campaign, struct worker *worker, uint64_t seed)
{
    struct swarm_life life = {.seed = seed};
    atomic_store(&worker->seed, seed);
    campaign->swarm->live(&life);
    life.tally.lives = 1;
    add_tally(&worker->tally, &life.tally);
    atomic_fetch_add(&campaign->done, 1);
    if (life.why[0] == '\0' || atomic_fetch_add(&campaign->told, 1) >= TOLD_BROKEN)
        return;
    printf("%s: seed %" PRIu64 " broke %s\n", campaign->swarm->name, seed, life.why);
    fflush(stdout);
}

static void work(struct campaign *campaign, struct worker *worker)
{
    for (;;) {
        uint64_t at = atomic_fetch_add(&campaign->next, CHUNK);
        for (uint64_t i = at; i < at + CHUNK; i++) {
            if (i >= campaign->seeds)
                return;
            live_one(campaign, worker, campaign->first + i);
        }
    }
}

static void show_progress(const struct campaign *campaign)
{
    uint64_t done = atomic_load(&campaign->done);
    unsigned filled = (unsigned)(done * 30 / (campaign->seeds > 0 ? campaign->seeds : 1));
    fprintf(stderr, "\r%s [%.*s%*s] %" PRIu64 " of %" PRIu64 " lives",
            campaign->swarm->name, (int)filled, "##############################",
            (int)(30 - filled), "", done, campaign->seeds);
}

/* A worker that died is a life that broke, and its seed is known. */
static void bury(struct campaign *campaign, pid_t pid, int status)
{
    if (WIFEXITED(status) && WEXITSTATUS(status) == 0)
        return;
    for (unsigned i = 0; i < campaign->jobs; i++) {
        if (campaign->workers[i].pid != pid)
            continue;
        printf("%s: seed %" PRIu64 " broke died: the process ended with status %d\n",
               campaign->swarm->name, atomic_load(&campaign->workers[i].seed), status);
        campaign->workers[i].tally.failed++;
    }
}

static bool start_workers(struct campaign *campaign)
{
    for (unsigned i = 0; i < campaign->jobs; i++) {
        fflush(stdout);
        pid_t pid = fork();
        if (pid < 0)
            return false;
        if (pid == 0) {
            work(campaign, &campaign->workers[i]);
            exit(EXIT_SUCCESS);
        }
        campaign->workers[i].pid = pid;
    }
    return true;
}

static void wait_for_workers(struct campaign *campaign)
{
    bool is_shown = isatty(STDERR_FILENO) == 1;
    unsigned alive = campaign->jobs;
    while (alive > 0) {
        int status;
        pid_t pid = waitpid(-1, &status, is_shown ? WNOHANG : 0);
        if (pid > 0) {
            bury(campaign, pid, status);
            alive--;
        } else if (pid == 0) {
            show_progress(campaign);
            nanosleep(&(struct timespec){.tv_nsec = 200000000}, NULL);
        } else if (errno != EINTR) {
            break;
        }
    }
    if (is_shown)
        fprintf(stderr, "\r%*s\r", 78, "");
}

static void print_tally(const struct campaign *campaign, const struct swarm_tally *sum,
                        double seconds)
{
    const struct swarm *swarm = campaign->swarm;
    printf("%s: %" PRIu64 " lives (seeds %" PRIu64 " to %" PRIu64 "), %" PRIu64
           " %s, %.0f s\n",
           swarm->name, sum->lives, campaign->first,
           campaign->first + campaign->seeds - 1, sum->steps, swarm->step_name, seconds);
    for (size_t i = 0; i < swarm->kind_count; i++)
        printf("  %-34s %12" PRIu64 "%s\n", swarm->kinds[i], sum->kinds[i],
               sum->kinds[i] == 0 ? "  NEVER HAPPENED" : "");
    printf("  lost %" PRIu64 ", doubled %" PRIu64 ", broken lives %" PRIu64
           "; at 95 %% fewer than %.1e of lives break a promise (3/N)\n",
           sum->lost, sum->doubled, sum->failed,
           3.0 / (double)(sum->lives > 0 ? sum->lives : 1));
}

static bool write_json(const char *path, const struct campaign *campaign,
                       const struct swarm_tally *sum, double seconds)
{
    FILE *file = fopen(path, "w");
    if (file == NULL)
        return false;
    fprintf(file,
            "{\"name\":\"%s\",\"lives\":%" PRIu64 ",\"first\":%" PRIu64
            ",\"steps\":%" PRIu64 ",\"step_name\":\"%s\",\"lost\":%" PRIu64
            ",\"doubled\":%" PRIu64 ",\"broken\":%" PRIu64
            ",\"seconds\":%.1f,\"kinds\":{",
            campaign->swarm->name, sum->lives, campaign->first, sum->steps,
            campaign->swarm->step_name, sum->lost, sum->doubled, sum->failed, seconds);
    for (size_t i = 0; i < campaign->swarm->kind_count; i++)
        fprintf(file, "%s\"%s\":%" PRIu64, i > 0 ? "," : "", campaign->swarm->kinds[i],
                sum->kinds[i]);
    fprintf(file, "}}\n");
    return fclose(file) == 0;
}

static double now_s(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec * 1e-9;
}

static int run_campaign(const struct swarm *swarm, const struct options *options)
{
    struct campaign *campaign = mmap(NULL, sizeof *campaign, PROT_READ | PROT_WRITE,
                                     MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (campaign == MAP_FAILED)
        return EXIT_FAILURE;
    campaign->swarm = swarm;
    campaign->first = options->first;
    campaign->seeds = options->seeds;
    campaign->jobs = (unsigned)options->jobs;
    double begun_s = now_s();
    bool good = start_workers(campaign);
    wait_for_workers(campaign);
    struct swarm_tally sum = {0};
    for (unsigned i = 0; i < campaign->jobs; i++)
        add_tally(&sum, &campaign->workers[i].tally);
    double seconds = now_s() - begun_s;
    print_tally(campaign, &sum, seconds);
    good = good && sum.failed == 0 && sum.lost == 0 && sum.doubled == 0 &&
           sum.lives == options->seeds;
    for (size_t i = 0; i < swarm->kind_count; i++)
        good = good && sum.kinds[i] > 0;
    if (options->json != NULL)
        good = write_json(options->json, campaign, &sum, seconds) && good;
    munmap(campaign, sizeof *campaign);
    return good ? EXIT_SUCCESS : EXIT_FAILURE;
}

static int tell_one(const struct swarm *swarm, uint64_t seed)
{
    struct swarm_life life = {.seed = seed, .is_told = true};
    printf("%s: seed %" PRIu64 "\n", swarm->name, seed);
    swarm->live(&life);
    for (size_t i = 0; i < swarm->kind_count; i++)
        if (life.tally.kinds[i] > 0)
            printf("  %-34s %12" PRIu64 "\n", swarm->kinds[i], life.tally.kinds[i]);
    printf("  %" PRIu64 " %s\n", life.tally.steps, swarm->step_name);
    if (life.why[0] != '\0')
        printf("  broke %s\n", life.why);
    return life.why[0] == '\0' ? EXIT_SUCCESS : EXIT_FAILURE;
}

static void usage(const struct swarm *swarm, const char *program)
{
    printf("usage: %s [--seeds N] [--first N] [--jobs N] [--json FILE]\n"
           "       %s --seed N\n\n"
           "Lives N lives (%" PRIu64
           "), each from one seed, and counts what happened in\n"
           "them. --seed tells one life in words.\n\n"
           "examples:\n  %s --seeds 1000\n  %s --seed 4711\n",
           program, program, swarm->default_seeds, program, program);
}

static bool take_number(uint64_t *number, const char *text)
{
    char *end;
    errno = 0;
    *number = strtoull(text, &end, 10);
    return errno == 0 && end != text && *end == '\0' && text[0] != '-';
}

static bool take_option(struct options *options, const char *name, const char *value)
{
    const struct {
        const char *name;
        uint64_t *number;
    } numbers[] = {
        {"--seeds", &options->seeds},
        {"--first", &options->first},
        {"--seed", &options->seed},
        {"--jobs", &options->jobs},
    };
    for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++)
        if (strcmp(name, numbers[i].name) == 0)
            return take_number(numbers[i].number, value);
    options->json = value;
    return strcmp(name, "--json") == 0;
}

static bool parse_options(struct options *options, int argc, char **argv)
{
    for (int i = 1; i + 1 < argc; i += 2)
        if (!take_option(options, argv[i], argv[i + 1]))
            return false;
    return argc % 2 == 1 && options->jobs >= 1 && options->jobs <= JOBS_MAX;
}

int swarm_main(const struct swarm *swarm, int argc, char **argv)
{
    long processors = sysconf(_SC_NPROCESSORS_ONLN);
    struct options options = {
        .first = 1,
        .seeds = swarm->default_seeds,
        .jobs = processors < 1          ? 1
                : processors > JOBS_MAX ? JOBS_MAX
                                        : (uint64_t)processors,
    };
    if (!parse_options(&options, argc, argv)) {
        usage(swarm, argv[0]);
        return argc == 2 && strcmp(argv[1], "--help") == 0 ? EXIT_SUCCESS : 2;
    }
    return options.seed != 0 ? tell_one(swarm, options.seed)
                             : run_campaign(swarm, &options);
}
