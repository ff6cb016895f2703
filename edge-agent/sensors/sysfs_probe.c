// SPDX-License-Identifier: Apache-2.0
#include "edge-agent/sensors/sysfs_probe.h"

#include <dirent.h>
#include <limits.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "edge-agent/sensors/devfile.h"

#define LIST_MS 3000
#define PLACE   512

/* The kernel's Documentation/hwmon/sysfs-interface.rst and ABI/testing/sysfs-bus-iio. */
static const struct {
    bool is_iio;
    const char *type;
    double divide;
    const char *unit;
} kinds[] = {
    {false, "temp", 1000, "Cel"},     /* milli-degrees */
    {false, "humidity", 1000, "%RH"}, /* milli-percent */
    {false, "in", 1000, "V"},         /* millivolts */
    {false, "curr", 1000, "A"},       /* milliamperes */
    {false, "power", 1e6, "W"},       /* microwatts */
    {true, "temp", 1000, "Cel"},      /* milli-degrees */
    {true, "humidityrelative", 1000, "%RH"},
    {true, "pressure", 0.001, "Pa"}, /* kilopascals */
    {true, "voltage", 1000, "V"},    /* millivolts */
    {true, "current", 1000, "A"},    /* milliamperes */
    {true, "illuminance", 1, "lx"},
    {true, "concentration_co2", 1, "/100"}, /* percent */
    {true, "concentration_o2", 1, "/100"},
};

const char *sysfs_unit(bool is_iio, const char *input, double *divide)
{
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
        size_t len = strlen(kinds[i].type);
        if (kinds[i].is_iio != is_iio || strncmp(input, kinds[i].type, len) != 0)
            continue;
        size_t digits = strspn(input + len, "0123456789");
        if (input[len + digits] != '\0' || (!is_iio && digits == 0))
            continue;
        *divide = kinds[i].divide;
        return kinds[i].unit;
    }
    return NULL;
}

/* ---- "hwmon/sht3x@1-0044/temp1" ---- */

/* Copies up to `stop`; returns what is behind, NULL when it is empty or too long. */
static const char *part(char out[SYSFS_NAME_SIZE], const char *text, const char *stop)
{
    size_t len = strcspn(text, stop);
    if (len == 0 || len >= SYSFS_NAME_SIZE)
        return NULL;
    memcpy(out, text, len);
    out[len] = '\0';
    return text + len;
}

enum err sysfs_parse(struct sysfs_probe *probe, const char *text, struct err_text *why)
{
    *probe = (struct sysfs_probe){.is_iio = strncmp(text, "iio/", 4) == 0};
    const char *at = NULL;
    if (probe->is_iio || strncmp(text, "hwmon/", 6) == 0)
        at = part(probe->chip, strchr(text, '/') + 1, "@/");
    if (at != NULL && *at == '@')
        at = part(probe->device, at + 1, "/");
    if (at != NULL)
        at = *at == '/' ? part(probe->input, at + 1, "") : NULL;
    if (at != NULL && strchr(probe->input, '/') == NULL) /* it becomes part of a path */
        return ERR_OK;
    return err_set(why, ERR_INVALID,
                   "'%.100s' is no probe: write hwmon/CHIP/temp1 or iio/CHIP/temp; "
                   "`coldchain-agent sensors` lists those of this machine",
                   text);
}

/* ---- finding ---- */

struct place {
    char path[PLACE]; /* of the chip's folder */
    char name[SYSFS_NAME_SIZE];
    char device[SYSFS_NAME_SIZE];
};

/* The text of a file in the folder, cut; "" when there is none. */
static void attribute(const struct place *place, const char *name, char *out, size_t size)
{
    struct devfile file;
    char path[PLACE + 128];
    snprintf(path, sizeof path, "%s/%s", place->path, name);
    enum err err = devfile_read(&file, clock_real_ms() + LIST_MS, path, NULL);
    snprintf(out, size, "%.*s", (int)size - 1, err == ERR_OK ? file.text : "");
}

/* Where it is wired: hwmon points at its device, an IIO device lies below it. */
static void find_device(struct place *place, bool is_iio)
{
    char link[PLACE + 16];
    char real[PATH_MAX];
    snprintf(link, sizeof link, "%s%s", place->path, is_iio ? "" : "/device");
    place->device[0] = '\0';
    if (realpath(link, real) == NULL)
        return;
    char *last = strrchr(real, '/');
    if (is_iio && last != NULL && last != real) {
        *last = '\0';
        last = strrchr(real, '/');
    }
    if (last != NULL)
        snprintf(place->device, sizeof place->device, "%.*s", SYSFS_NAME_SIZE - 1,
                 last + 1);
}

static void find_name(struct place *place, bool is_iio)
{
    attribute(place, "name", place->name, sizeof place->name);
    if (is_iio && place->name[0] == '\0')
        attribute(place, "of_node/name", place->name, sizeof place->name);
}

static bool is_chip(const struct place *place, const struct sysfs_probe *probe)
{
    char other[SYSFS_NAME_SIZE];
    if (probe->device[0] != '\0' && strcmp(probe->device, place->device) != 0)
        return false;
    if (strcmp(place->name, probe->chip) == 0)
        return true;
    if (!probe->is_iio)
        return false;
    attribute(place, "label", other, sizeof other);
    if (strcmp(other, probe->chip) == 0)
        return true;
    attribute(place, "of_node/name", other, sizeof other);
    return strcmp(other, probe->chip) == 0;
}

static DIR *open_class(char folder[PLACE], const char *root, bool is_iio)
{
    snprintf(folder, PLACE, "%s/sys/%s", strcmp(root, "/") == 0 ? "" : root,
             is_iio ? "bus/iio/devices" : "class/hwmon");
    return opendir(folder);
}

/* The next chip of the class; false after the last. */
static bool next_place(DIR *dir, const char *folder, bool is_iio, struct place *place)
{
    const char *prefix = is_iio ? "iio:device" : "hwmon";
    const struct dirent *entry;
    while (dir != NULL && (entry = readdir(dir)) != NULL) {
        if (strncmp(entry->d_name, prefix, strlen(prefix)) != 0)
            continue;
        int len =
            snprintf(place->path, sizeof place->path, "%s/%s", folder, entry->d_name);
        if (len < 0 || (size_t)len >= sizeof place->path)
            continue;
        find_name(place, is_iio);
        find_device(place, is_iio);
        return true;
    }
    return false;
}

/* How many chips the probe may mean; the first is in *place. */
static size_t find_chip(const struct sysfs_probe *probe, const char *root,
                        struct place *place)
{
    char folder[PLACE];
    struct place at;
    size_t count = 0;
    DIR *dir = open_class(folder, root, probe->is_iio);
    while (next_place(dir, folder, probe->is_iio, &at)) {
        if (!is_chip(&at, probe))
            continue;
        if (count++ == 0)
            *place = at;
    }
    if (dir != NULL)
        closedir(dir);
    return count;
}

/* ---- reading ---- */

static enum err number_of(const struct place *place, const char *name, int64_t end_ms,
                          double *value, struct err_text *why)
{
    struct devfile file;
    char path[PLACE + 128];
    snprintf(path, sizeof path, "%s/%s", place->path, name);
    enum err err = devfile_read(&file, end_ms, path, why);
    if (err == ERR_OK && !devfile_number(value, file.text, file.len))
        return err_set(why, ERR_CORRUPT, "%s says '%.40s'", path, file.text);
    return err;
}

static bool answer_bad(struct sysfs_answer *answer, enum quality quality)
{
    answer->quality = quality;
    answer->value = (double)NAN;
    return false;
}

/* Of hwmon: the input whose label is the probe's; else the probe's own text. */
static void find_input(const struct place *place, const char *wanted,
                       char input[SYSFS_NAME_SIZE])
{
    DIR *dir = opendir(place->path);
    const struct dirent *entry;
    snprintf(input, SYSFS_NAME_SIZE, "%s", wanted);
    while (dir != NULL && (entry = readdir(dir)) != NULL) {
        char label[SYSFS_NAME_SIZE];
        size_t len = strlen(entry->d_name);
        if (len <= 6 || len - 6 >= SYSFS_NAME_SIZE ||
            strcmp(entry->d_name + len - 6, "_label") != 0)
            continue;
        attribute(place, entry->d_name, label, sizeof label);
        if (strcmp(label, wanted) == 0)
            snprintf(input, SYSFS_NAME_SIZE, "%.*s", (int)(len - 6), entry->d_name);
    }
    if (dir != NULL)
        closedir(dir);
}

static void read_hwmon(const struct place *place, const char *wanted, int64_t end_ms,
                       struct sysfs_answer *answer)
{
    char input[SYSFS_NAME_SIZE];
    char name[SYSFS_NAME_SIZE + 16];
    double divide;
    double value;
    double fault;
    find_input(place, wanted, input);
    answer->unit = sysfs_unit(false, input, &divide);
    if (answer->unit == NULL) {
        err_set(&answer->reason, ERR_NOT_FOUND, "%s has no input '%s'", place->path,
                wanted);
        answer_bad(answer, QUALITY_OPEN);
        return;
    }
    snprintf(name, sizeof name, "%s_fault", input);
    if (number_of(place, name, end_ms, &fault, NULL) == ERR_OK && fault != 0) {
        err_set(&answer->reason, ERR_IO, "the chip says %s: the probe is open", name);
        answer_bad(answer, QUALITY_OPEN);
        return;
    }
    snprintf(name, sizeof name, "%s_input", input);
    enum err err = number_of(place, name, end_ms, &value, &answer->reason);
    answer->quality = err == ERR_OK ? QUALITY_GOOD : devfile_quality(err);
    answer->value = err == ERR_OK ? value / divide : (double)NAN;
}

/* in_temp2_scale, else in_temp_scale, else what there is without. */
static enum err factor_of(const struct place *place, const char *channel,
                          const char *what, int64_t end_ms, double *value,
                          struct err_text *why)
{
    char name[SYSFS_NAME_SIZE + 16];
    size_t type_len = strlen(channel);
    snprintf(name, sizeof name, "in_%s_%s", channel, what);
    enum err err = number_of(place, name, end_ms, value, why);
    while (type_len > 0 && channel[type_len - 1] >= '0' && channel[type_len - 1] <= '9')
        type_len--;
    if (err != ERR_NOT_FOUND || channel[type_len] == '\0')
        return err == ERR_NOT_FOUND ? ERR_OK : err;
    snprintf(name, sizeof name, "in_%.*s_%s", (int)type_len, channel, what);
    err = number_of(place, name, end_ms, value, why);
    return err == ERR_NOT_FOUND ? ERR_OK : err;
}

/* (raw + offset) * scale, where there is no processed value. */
static enum err read_iio_value(const struct place *place, const char *channel,
                               int64_t end_ms, double *value, struct err_text *why)
{
    char name[SYSFS_NAME_SIZE + 16];
    double offset = 0;
    double scale = 1;
    snprintf(name, sizeof name, "in_%s_input", channel);
    enum err err = number_of(place, name, end_ms, value, why);
    if (err != ERR_NOT_FOUND)
        return err;
    snprintf(name, sizeof name, "in_%s_raw", channel);
    err = number_of(place, name, end_ms, value, why);
    if (err == ERR_OK)
        err = factor_of(place, channel, "offset", end_ms, &offset, why);
    if (err == ERR_OK)
        err = factor_of(place, channel, "scale", end_ms, &scale, why);
    *value = (*value + offset) * scale;
    return err;
}

static void read_iio(const struct place *place, const char *channel, int64_t end_ms,
                     struct sysfs_answer *answer)
{
    double divide;
    double value = (double)NAN;
    answer->unit = sysfs_unit(true, channel, &divide);
    if (answer->unit == NULL) {
        err_set(&answer->reason, ERR_NOT_FOUND, "no IIO channel is called '%s'", channel);
        answer_bad(answer, QUALITY_OPEN);
        return;
    }
    enum err err = read_iio_value(place, channel, end_ms, &value, &answer->reason);
    answer->quality = err == ERR_OK ? QUALITY_GOOD : devfile_quality(err);
    answer->value = err == ERR_OK ? value / divide : (double)NAN;
}

void sysfs_read(const struct sysfs_probe *probe, const char *root, int64_t end_ms,
                struct sysfs_answer *answer)
{
    struct place place;
    *answer = (struct sysfs_answer){.value = (double)NAN};
    size_t count = find_chip(probe, root, &place);
    if (count == 0) {
        err_set(&answer->reason, ERR_NOT_FOUND, "there is no %s chip '%s'%s%s",
                probe->is_iio ? "iio" : "hwmon", probe->chip,
                probe->device[0] != '\0' ? " at " : "", probe->device);
        answer_bad(answer, QUALITY_OPEN);
    } else if (count > 1) {
        err_set(&answer->reason, ERR_CONFLICT,
                "%zu chips are called '%s': write %s@%s for the first", count,
                probe->chip, probe->chip, place.device);
        answer_bad(answer, QUALITY_FAULT);
    } else if (probe->is_iio) {
        read_iio(&place, probe->input, end_ms, answer);
    } else {
        read_hwmon(&place, probe->input, end_ms, answer);
    }
    if (answer->quality == QUALITY_GOOD && !isfinite(answer->value))
        answer_bad(answer, QUALITY_FAULT);
}

/* ---- listing ---- */

/* "temp1" of temp1_input, "temp" of in_temp_raw; false for other files. */
static bool input_of(const char *file, bool is_iio, char input[SYSFS_NAME_SIZE])
{
    static const char *const ends[] = {"_input", "_raw"};
    const char *from = is_iio && strncmp(file, "in_", 3) == 0 ? file + 3 : file;
    double divide;
    for (size_t i = 0; i < (is_iio ? 2u : 1u); i++) {
        size_t len = strlen(from);
        size_t end = strlen(ends[i]);
        if (len <= end || len - end >= SYSFS_NAME_SIZE ||
            strcmp(from + len - end, ends[i]) != 0)
            continue;
        snprintf(input, SYSFS_NAME_SIZE, "%.*s", (int)(len - end), from);
        return sysfs_unit(is_iio, input, &divide) != NULL && (is_iio == (from != file));
    }
    return false;
}

static void list_place(const struct place *place, const char *root, bool is_iio,
                       void *context, sensor_found_fn *found)
{
    DIR *dir = opendir(place->path);
    const struct dirent *entry;
    while (dir != NULL && (entry = readdir(dir)) != NULL) {
        struct sysfs_probe probe = {.is_iio = is_iio};
        struct sysfs_answer answer;
        char text[SENSOR_PROBE_SIZE];
        if (!input_of(entry->d_name, is_iio, probe.input))
            continue;
        snprintf(probe.chip, sizeof probe.chip, "%s", place->name);
        snprintf(probe.device, sizeof probe.device, "%s", place->device);
        sysfs_read(&probe, root, clock_real_ms() + LIST_MS, &answer);
        snprintf(text, sizeof text, "%s/%s%s%s/%s", is_iio ? "iio" : "hwmon", place->name,
                 place->device[0] != '\0' ? "@" : "", place->device, probe.input);
        struct sensor_found one = {.driver = "sysfs",
                                   .probe = text,
                                   .unit = answer.unit,
                                   .value = answer.value,
                                   .quality = answer.quality,
                                   .reason = answer.reason.text};
        found(context, &one);
    }
    if (dir != NULL)
        closedir(dir);
}

void sysfs_list(const char *root, void *context, sensor_found_fn *found)
{
    for (int is_iio = 0; is_iio <= 1; is_iio++) {
        char folder[PLACE];
        struct place place;
        DIR *dir = open_class(folder, root, is_iio != 0);
        while (next_place(dir, folder, is_iio != 0, &place))
            list_place(&place, root, is_iio != 0, context, found);
        if (dir != NULL)
            closedir(dir);
    }
}
