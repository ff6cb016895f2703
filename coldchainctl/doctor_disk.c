// SPDX-License-Identifier: Apache-2.0
/*
 * Disks and the journal: how much room is left and for how long, and whether what was
 * written can be read.
 */
#include <dirent.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>

#include "base/clock.h"
#include "base/mem.h"
#include "coldchainctl/doctor.h"
#include "coldchainctl/doctor_forecast.h"
#include "journal/journal_scan.h"

#define SCAN_BYTES_MAX ((uint64_t)1 << 30) /* more takes minutes */
#define DAYS_FEW       30
#define DAYS_TOO_FEW   7

struct disk {
    dev_t device;
    char *path; /* owned */
    double free_bytes;
    double all_bytes;
    bool has_journal;
    bool has_history;
};

/* When the file was made, as far as the file system knows; else when it was written. */
static int64_t made_ms(const char *path, const struct stat *stat_of)
{
    struct statx more;
    if (statx(0, path, 0, STATX_BTIME, &more) == 0 && (more.stx_mask & STATX_BTIME) != 0)
        return (int64_t)more.stx_btime.tv_sec * 1000;
    return (int64_t)stat_of->st_mtim.tv_sec * 1000;
}

static struct growth look_folder(const char *dir)
{
    struct growth growth = {.since_ms = INT64_MAX};
    DIR *list = opendir(dir);
    struct dirent *entry;
    while (list != NULL && (entry = readdir(list)) != NULL) {
        struct stat found;
        char *path = mem_format("%s/%s", dir, entry->d_name);
        if (stat(path, &found) == 0 && S_ISREG(found.st_mode)) {
            int64_t since_ms = made_ms(path, &found);
            growth.bytes += (uint64_t)found.st_blocks * 512;
            growth.since_ms = since_ms < growth.since_ms ? since_ms : growth.since_ms;
        }
        free(path);
    }
    if (list != NULL)
        closedir(list);
    return growth;
}

static void say_room(struct doctor *doctor, const struct disk *disk, double days,
                     double bytes_a_day)
{
    const struct settings *settings = doctor->settings;
    char free_text[32];
    char all_text[32];
    char day_text[32];
    char forecast[160];
    double segment = (double)settings->journal.segment_bytes;
    double reserve = segment * (double)(settings->journal.spare_segments + 1);
    doctor_size(free_text, disk->free_bytes);
    doctor_size(all_text, disk->all_bytes);
    if (days < 0)
        snprintf(forecast, sizeof forecast, "%s",
                 doctor_text(doctor, "watched too briefly for a forecast"));
    else if (days < 3650)
        snprintf(forecast, sizeof forecast,
                 doctor_text(doctor, "enough for about %.0f days at %s a day"), days,
                 doctor_size(day_text, bytes_a_day));
    else
        snprintf(forecast, sizeof forecast, "%s",
                 doctor_text(doctor, "enough for more than ten years"));
    if (disk->has_journal && disk->free_bytes < reserve)
        doctor_say(doctor, DOCTOR_PROBLEM, "disk",
                   "make room now: without it the collector leaves the broker, and what "
                   "agents cannot keep is lost",
                   "%s: %s of %s free, less than the journal's next segments", disk->path,
                   free_text, all_text);
    else if (days >= 0 && days < DAYS_TOO_FEW)
        doctor_say(doctor, DOCTOR_PROBLEM, "disk",
                   "make room, give it a larger disk, or shorten history.keep",
                   "%s: %s of %s free, %s", disk->path, free_text, all_text, forecast);
    else if ((days >= 0 && days < DAYS_FEW) || disk->free_bytes < disk->all_bytes / 20)
        doctor_say(doctor, DOCTOR_WARNING, "disk",
                   "plan for a larger disk, or shorten history.keep",
                   "%s: %s of %s free, %s", disk->path, free_text, all_text, forecast);
    else
        doctor_say(doctor, DOCTOR_OK, "disk", NULL, "%s: %s of %s free, %s", disk->path,
                   free_text, all_text, forecast);
}

static void say_disk(struct doctor *doctor, const struct disk *disk,
                     const struct growth *journal, const struct growth *history)
{
    const struct settings *settings = doctor->settings;
    const struct forecast_disk room = {
        .free_bytes = disk->free_bytes,
        .journal = disk->has_journal ? journal : NULL,
        .history = disk->has_history ? history : NULL,
        .journal_most = (double)settings->journal.keep_bytes,
        .journal_keep_ms = settings->journal.keep_ms,
        .history_keep_ms = settings->history.keep_ms,
    };
    const struct forecast forecast = doctor_forecast(&room, doctor->now_ms);
    say_room(doctor, disk, forecast.days, forecast.a_day);
}

static bool open_disk(struct doctor *doctor, struct disk *disk, const char *dir)
{
    struct stat found;
    struct statvfs room;
    if (stat(dir, &found) != 0 || statvfs(dir, &room) != 0) {
        int number = errno;
        doctor_say(doctor, number == ENOENT ? DOCTOR_WARNING : DOCTOR_PROBLEM, "disk",
                   number == ENOENT ? "the collector's first start makes it"
                                    : "run this as the collector's user, or as root",
                   "%s: %s", dir, strerror(number));
        return false;
    }
    *disk = (struct disk){
        .device = found.st_dev,
        .path = mem_strdup(dir),
        .free_bytes = (double)room.f_bavail * (double)room.f_frsize,
        .all_bytes = (double)room.f_blocks * (double)room.f_frsize,
    };
    return true;
}

void doctor_look_disk(struct doctor *doctor)
{
    if (doctor->settings == NULL)
        return;
    const char *base = doctor->settings->data_dir;
    char *dirs[] = {mem_strdup(base), mem_format("%s/journal", base),
                    mem_format("%s/history", base)};
    struct disk disks[3] = {{.path = NULL}};
    size_t count = 0;
    const struct growth journal = look_folder(dirs[1]);
    const struct growth history = look_folder(dirs[2]);
    for (size_t i = 0; i < 3; i++) {
        struct disk disk = {.path = NULL};
        if (!open_disk(doctor, &disk, dirs[i]))
            break;
        size_t at = 0;
        while (at < count && disks[at].device != disk.device)
            at++;
        if (at == count)
            disks[count++] = disk;
        else
            free(disk.path);
        disks[at].has_journal |= i == 1;
        disks[at].has_history |= i == 2;
    }
    for (size_t i = 0; i < count; i++) {
        say_disk(doctor, &disks[i], &journal, &history);
        free(disks[i].path);
    }
    for (size_t i = 0; i < 3; i++)
        free(dirs[i]);
}

/* ---- the journal ---------------------------------------------------------------------
 */

static void say_scan(struct doctor *doctor, const struct journal_scan_report *report)
{
    if (!journal_scan_is_sound(report))
        doctor_say(doctor, DOCTOR_PROBLEM, "journal",
                   "stop the collector, run 'coldchainctl journal repair' on its folder, "
                   "and look at the disk (dmesg, smartctl)",
                   "%" PRIu64 " damaged regions of %" PRIu64 " bytes, %" PRIu64
                   " breaks of the chain",
                   report->damaged_regions, report->damaged_bytes, report->chain_breaks);
    else if (report->losses_stored > 0)
        doctor_say(doctor, DOCTOR_WARNING, "journal",
                   "see 'coldchainctl journal cat --kind loss' for what and when",
                   "it is sound; %" PRIu64 " losses of before are recorded in it",
                   report->losses_stored);
    else
        doctor_say(doctor, DOCTOR_OK, "journal", NULL,
                   "%" PRIu64 " records in %zu segment(s), all sound", report->records,
                   report->segments);
}

static void look_journal_files(struct doctor *doctor)
{
    const struct journal_options plain = {0};
    const struct journal_scan_visitor nobody = {.arg = NULL};
    struct journal_scan_report report;
    struct err_text why = {""};
    char size[32];
    char *dir = mem_format("%s/journal", doctor->settings->data_dir);
    const struct growth growth = look_folder(dir);
    if (growth.bytes > SCAN_BYTES_MAX) {
        doctor_say(doctor, DOCTOR_OK, "journal", NULL,
                   "%s, not read through: 'coldchainctl journal verify %s' does",
                   doctor_size(size, (double)growth.bytes), dir);
        free(dir);
        return;
    }
    enum err err = journal_scan(dir, &plain, &nobody, &report, &why);
    free(dir);
    if (err == ERR_OK)
        say_scan(doctor, &report);
    else if (err == ERR_NOT_FOUND)
        doctor_say(doctor, DOCTOR_WARNING, "journal",
                   "the collector's first start makes it; else see data_dir", "%s",
                   why.text);
    else
        doctor_say(doctor, DOCTOR_PROBLEM, "journal",
                   "run this as the collector's user, or as root; else see the disk",
                   "%s", why.text);
}

/* Positions are segment << 32 | offset. */
static void look_lag(struct doctor *doctor)
{
    static const char *const followers[] = {"evaluated", "history"};
    int64_t synced = json_integer_value(json_object_get(doctor->status, "synced"));
    for (size_t i = 0; i < sizeof followers / sizeof followers[0]; i++) {
        int64_t at = json_integer_value(json_object_get(doctor->status, followers[i]));
        int64_t segments = (synced >> 32) - (at >> 32);
        if (segments > 0)
            doctor_say(doctor, segments > 1 ? DOCTOR_PROBLEM : DOCTOR_WARNING, "journal",
                       "see the collector's log; after a long time away this is normal "
                       "and gets less",
                       "'%s' is %" PRId64 " segments behind what is stored", followers[i],
                       segments);
    }
}

void doctor_look_journal(struct doctor *doctor)
{
    if (doctor->is_answering)
        look_lag(doctor);
    if (doctor->settings != NULL)
        look_journal_files(doctor);
}
