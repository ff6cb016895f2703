// SPDX-License-Identifier: Apache-2.0
/* The driver exec, and how it runs programs. */
#include <dirent.h>
#include <errno.h>
#include <math.h>
#include <signal.h>
#include <sys/wait.h>

#include "base/program.h"
#include "tests/unit/edge-agent/sensors/hardware.h"

#define JSON "[{\"bn\":\"air_temperature\",\"u\":\"Cel\",\"v\":4.5}]"

static char shell[] = "/bin/sh";
static char dash_c[] = "-c";

static enum err run(const char *script, int64_t timeout_ms, size_t max, struct buf *out,
                    struct buf *complaint, struct err_text *why)
{
    char text[1000];
    snprintf(text, sizeof text, "%s", script);
    char *const argv[] = {shell, dash_c, text, NULL};
    char added[] = "COLDCHAIN_ADDED=a b";
    char *const environment[] = {added, NULL};
    struct program_options options = {.argv = argv,
                                      .environment = environment,
                                      .timeout_ms = timeout_ms,
                                      .output_max = max};
    return program_run(&options, out, complaint, why);
}

static size_t count_fds(void)
{
    size_t count = 0;
    DIR *dir = opendir("/proc/self/fd");
    while (dir != NULL && readdir(dir) != NULL)
        count++;
    if (dir != NULL)
        closedir(dir);
    return count;
}

static void programs_row_by_row(void)
{
    static const struct {
        const char *script;
        enum err want;
        const char *out;
        const char *complaint;
        const char *why;
    } rows[] = {
        {"printf hello", ERR_OK, "hello", "", ""},
        {"printf a; printf b >&2", ERR_OK, "a", "b", ""},
        {"cat", ERR_OK, "", "", ""}, /* nothing is typed */
        {"exit 3", ERR_IO, "", "", "status 3"},
        {"kill -TERM $$", ERR_IO, "", "", "signal 15"},
        {"printf 12345678901234567890", ERR_LIMIT, "1234567890123456", "", "16 bytes"},
        {"yes", ERR_LIMIT, NULL, "", "16 bytes"},
        {"yes >&2 & sleep 0.2; kill $!", ERR_OK, "", NULL, ""},
        {"sleep 100", ERR_TIMEOUT, "", "", "did not end"},
        {"sleep 100 & printf done", ERR_OK, "done", "", ""},
        {"trap '' TERM INT; sleep 100", ERR_TIMEOUT, "", "", "did not end"},
        {"exec >&- 2>&-; sleep 100", ERR_TIMEOUT, "", "", "did not end"},
        {"printf %s \"$COLDCHAIN_ADDED\"", ERR_OK, "a b", "", ""},
        {"test -z \"$SECRET\" && test $LC_ALL = C.UTF-8", ERR_OK, "", "", ""},
        /* 0 to 2, and the one that ls itself opens */
        {"test $(ls /proc/self/fd | wc -l) = 4", ERR_OK, "", "", ""},
    };
    size_t fds = count_fds();
    setenv("SECRET", "x", 1);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct buf out = {0};
        struct buf complaint = {0};
        struct err_text why = {0};
        int64_t timeout_ms = rows[i].want == ERR_TIMEOUT ? 300 : 20000;
        enum err err = run(rows[i].script, timeout_ms, 16, &out, &complaint, &why);
        buf_text(&out, "");
        buf_text(&complaint, "");
        CHECK_ROW(rows[i].script, err == rows[i].want);
        if (rows[i].out != NULL)
            CHECK_ROW(rows[i].script, strcmp(out.data, rows[i].out) == 0);
        if (rows[i].complaint != NULL)
            CHECK_ROW(rows[i].script, strcmp(complaint.data, rows[i].complaint) == 0);
        CHECK_ROW(rows[i].script,
                  complaint.len <= PROGRAM_COMPLAINT_MAX && out.len <= 16);
        CHECK_ROW(rows[i].script, strstr(why.text, rows[i].why) != NULL);
        CHECK_ROW(rows[i].script, waitpid(-1, NULL, WNOHANG) < 0 && errno == ECHILD);
        CHECK_ROW(rows[i].script, count_fds() == fds);
        buf_fini(&out);
        buf_fini(&complaint);
    }
}

static void what_cannot_be_started_says_so(void)
{
    static char absent[] = "/nonexistent/program";
    static char folder[] = "/tmp";
    char *const names[] = {absent, folder};
    static const enum err want[] = {ERR_NOT_FOUND, ERR_DENIED};
    for (size_t i = 0; i < 2; i++) {
        char *const argv[] = {names[i], NULL};
        struct program_options options = {
            .argv = argv, .timeout_ms = 20000, .output_max = 16};
        struct buf out = {0};
        struct err_text why = {0};
        CHECK_ROW(names[i], program_run(&options, &out, &out, &why) == want[i]);
        CHECK_ROW(names[i], strncmp(why.text, names[i], strlen(names[i])) == 0);
        buf_fini(&out);
    }
}

static bool is_gone(pid_t pid)
{
    int64_t end_ms = clock_real_ms() + PATIENCE_MS;
    char path[64];
    snprintf(path, sizeof path, "/proc/%d/stat", (int)pid);
    while (clock_real_ms() < end_ms) {
        char state = 'X';
        FILE *file = fopen(path, "r");
        if (file == NULL)
            return true;
        bool is_read = fscanf(file, "%*d (sleep) %c", &state) == 1;
        fclose(file);
        if (!is_read || state == 'Z' || state == 'X')
            return true; /* init reaps it when it gets to it */
    }
    return false;
}

/* What a program started in its group ends with it, whether it ended well or not. */
static void nothing_is_left_behind(void)
{
    static const char *const scripts[] = {"sleep 1000 & echo $!",
                                          "sleep 1000 & echo $!; sleep 1000"};
    for (size_t i = 0; i < 2; i++) {
        struct buf out = {0};
        struct buf complaint = {0};
        if (run(scripts[i], 500, 64, &out, &complaint, NULL) != ERR_OK) {
            /* the second runs into its time */
        }
        long pid = out.data != NULL ? strtol(out.data, NULL, 10) : 0;
        CHECK_ROW(scripts[i], pid > 1 && is_gone((pid_t)pid));
        buf_fini(&out);
        buf_fini(&complaint);
    }
}

/* ---- the driver ---- */

static char name[] = "program";
static char driver[] = "exec";
static char air[] = "air_temperature";
static char humidity[] = "humidity";
static char other[] = "urn:probe:h";
static struct sensor_channel channels[] = {{.name = air, .gain = 1},
                                           {.name = humidity, .gain = 1, .probe = other}};

static struct sensor *open_script(struct sensor_settings *settings, char *argv[3],
                                  char *script, size_t count)
{
    struct sensor *sensor = NULL;
    argv[0] = shell;
    argv[1] = dash_c;
    argv[2] = script;
    *settings = (struct sensor_settings){
        .name = name,
        .driver = driver,
        .interval_ms = 100,
        .timeout_ms = 20000,
        .exec = {.command = argv, .command_count = 3, .max_output = 4096},
        .channels = channels,
        .channel_count = count};
    CHECK(sensor_open(&sensor, settings, WALL_MS, NULL) == ERR_OK);
    return sensor;
}

static void outputs_row_by_row(void)
{
    static const struct {
        const char *script;
        enum quality air;
        double value;
        enum quality humidity;
    } rows[] = {
        {"echo '" JSON "'", QUALITY_GOOD, 4.5, QUALITY_FAULT},
        {"echo '[{\"n\":\"air_temperature\",\"u\":\"K\",\"v\":277.15},"
         "{\"n\":\"urn:probe:h\",\"u\":\"%RH\",\"v\":90},{\"n\":\"more\",\"v\":1}]'",
         QUALITY_GOOD, 4, QUALITY_GOOD},
        {"echo '[{\"n\":\"air_temperature\",\"u\":\"%RH\",\"v\":50}]'", QUALITY_FAULT, 0,
         QUALITY_FAULT},
        {"echo '[{\"n\":\"air_temperature\",\"vs\":\"short\"}]'", QUALITY_SHORT, 0,
         QUALITY_FAULT},
        {"echo '[{\"n\":\"air_temperature\",\"vs\":\"good\"}]'", QUALITY_FAULT, 0,
         QUALITY_FAULT},
        /* [{0: "air_temperature", 1: "Cel", 2: 4.5}] */
        {"printf '\\201\\243\\000\\157air_temperature\\001\\143Cel\\002\\371\\104\\200'",
         QUALITY_GOOD, 4.5, QUALITY_FAULT},
        {"echo 21.5", QUALITY_FAULT, 0, QUALITY_FAULT},
        {"echo '" JSON "'; exit 1", QUALITY_FAULT, 0, QUALITY_FAULT},
        {"true", QUALITY_FAULT, 0, QUALITY_FAULT},
        {"yes", QUALITY_FAULT, 0, QUALITY_FAULT},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct sensor_settings settings;
        struct samples samples = {0};
        char *argv[3];
        char script[500];
        snprintf(script, sizeof script, "%s", rows[i].script);
        struct sensor *sensor = open_script(&settings, argv, script, 2);
        CHECK_ROW(rows[i].script, hardware_read(sensor, &samples) && samples.count == 2);
        const struct sample *first = samples.list;
        CHECK_ROW(rows[i].script,
                  first[0].channel == 0 && first[0].quality == rows[i].air);
        CHECK_ROW(rows[i].script,
                  first[1].channel == 1 && first[1].quality == rows[i].humidity);
        if (rows[i].air == QUALITY_GOOD)
            CHECK_ROW(rows[i].script, fabs(first[0].value - rows[i].value) < 1e-9);
        sensor_close(sensor);
        samples_fini(&samples);
    }
}

static void several_readings_keep_their_own_times(void)
{
    struct sensor_settings settings;
    struct samples samples = {0};
    char *argv[3];
    char script[] =
        "echo '[{\"bn\":\"air_temperature\",\"bt\":1793548000,\"t\":20,\"v\":2},"
        "{\"v\":1},{\"t\":40,\"v\":3}]'";
    struct sensor *sensor = open_script(&settings, argv, script, 1);
    CHECK(hardware_read(sensor, &samples) && samples.count == 3);
    for (size_t i = 0; i < samples.count; i++) {
        CHECK(samples.list[i].time_ms == 1793548000000 + (int64_t)i * 20000);
        CHECK(samples.list[i].value == (double)i + 1);
    }
    sensor_close(sensor);
    samples_fini(&samples);
}

static int64_t runs_of(struct folder *root)
{
    struct stat stat_of;
    return stat(folder_file(root, "runs"), &stat_of) == 0 ? stat_of.st_size : 0;
}

/* Each run leaves a byte; readings come all the while. */
static void a_failing_program_is_left_alone_longer_each_time(void)
{
    struct folder root;
    struct sensor_settings settings;
    struct samples samples = {0};
    char *argv[3];
    char script[1000];
    folder_make(&root);
    snprintf(script, sizeof script, "printf x >>%s/runs; exit 1", root.path);
    struct sensor *sensor = open_script(&settings, argv, script, 1);
    size_t reads = 0;
    int64_t begun_ms = clock_real_ms();
    int64_t patient_ms = begun_ms + PATIENCE_MS;
    while (reads < 50 || clock_real_ms() - begun_ms < 500 ||
           (runs_of(&root) < 2 && clock_real_ms() < patient_ms)) {
        CHECK(hardware_read(sensor, &samples));
        CHECK(samples.list[0].quality == QUALITY_FAULT);
        reads++;
    }
    int64_t runs = runs_of(&root);
    /* pauses of 100, 200, 400 ms, ...: log2(time / 100 ms) + 1 runs, and one to spare */
    int64_t most = 2;
    for (int64_t ms = 100; ms <= clock_real_ms() - begun_ms; ms = ms * 2 + 100)
        most++;
    CHECK(runs >= 2 && runs <= most);
    sensor_close(sensor);
    samples_fini(&samples);
    folder_remove(&root);
}

static void a_program_that_hangs_reads_timeout(void)
{
    struct sensor_settings settings;
    struct samples samples = {0};
    char *argv[3];
    char script[] = "sleep 1000";
    struct sensor *sensor = open_script(&settings, argv, script, 1);
    sensor_close(sensor);
    settings.timeout_ms = 200;
    CHECK(sensor_open(&sensor, &settings, WALL_MS, NULL) == ERR_OK);
    CHECK(hardware_read(sensor, &samples));
    CHECK(samples.list[0].quality == QUALITY_TIMEOUT);
    sensor_close(sensor);
    samples_fini(&samples);
}

static void a_command_is_an_absolute_path(void)
{
    char relative[] = "sh";
    char *argv[] = {relative};
    struct sensor_settings settings = {.name = name,
                                       .driver = driver,
                                       .interval_ms = 1000,
                                       .timeout_ms = 1000,
                                       .channels = channels,
                                       .channel_count = 1};
    struct sensor *sensor;
    struct err_text why = {0};
    CHECK(sensor_open(&sensor, &settings, 0, &why) == ERR_INVALID);
    settings.exec = (struct sensor_exec){.command = argv, .command_count = 1};
    CHECK(sensor_open(&sensor, &settings, 0, &why) == ERR_INVALID);
    CHECK(strstr(why.text, "absolute path") != NULL);
}

int main(void)
{
    static CU_TestInfo tests[] = {
        {"programs, row by row", programs_row_by_row},
        {"what cannot be started says so", what_cannot_be_started_says_so},
        {"nothing is left behind", nothing_is_left_behind},
        {"outputs, row by row", outputs_row_by_row},
        {"several readings keep their own times", several_readings_keep_their_own_times},
        {"a failing program is left alone longer each time",
         a_failing_program_is_left_alone_longer_each_time},
        {"a program that hangs reads timeout", a_program_that_hangs_reads_timeout},
        {"a command is an absolute path", a_command_is_an_absolute_path},
        CU_TEST_INFO_NULL,
    };
    return check_run("exec", tests);
}
