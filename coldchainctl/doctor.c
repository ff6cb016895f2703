// SPDX-License-Identifier: Apache-2.0
#include "coldchainctl/doctor.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/mem.h"
#include "coldchainctl/say.h"

const char *doctor_text(const struct doctor *doctor, const char *english)
{
    return doctor->is_for_programs ? english : say(english);
}

void doctor_say(struct doctor *doctor, enum doctor_level level, const char *area,
                const char *todo, const char *fmt, ...)
{
    char text[1024];
    va_list args;
    va_start(args, fmt);
    vsnprintf(text, sizeof text, doctor_text(doctor, fmt), args);
    va_end(args);
    mem_grow(&doctor->findings, &doctor->capacity, doctor->count + 1,
             sizeof *doctor->findings);
    doctor->findings[doctor->count++] = (struct finding){
        .level = level, .area = area, .seen = mem_strdup(text), .todo = todo};
}

void doctor_fini(struct doctor *doctor)
{
    for (size_t i = 0; i < doctor->count; i++)
        free(doctor->findings[i].seen);
    free(doctor->findings);
    json_decref(doctor->status);
}

const char *doctor_size(char text[32], double bytes)
{
    static const char *const units[] = {"bytes", "KiB", "MiB", "GiB", "TiB"};
    size_t unit = 0;
    while (bytes >= 1024 && unit + 1 < sizeof units / sizeof units[0]) {
        bytes /= 1024;
        unit++;
    }
    snprintf(text, 32, "%.*f %s", unit == 0 || bytes >= 100 ? 0 : 1, bytes, units[unit]);
    return text;
}

const char *doctor_span(const struct doctor *doctor, char text[32], int64_t ms)
{
    int64_t minutes = ms / 60000;
    if (minutes < 120)
        snprintf(text, 32, doctor_text(doctor, "%" PRId64 " min"), minutes);
    else if (minutes < 2880)
        snprintf(text, 32, doctor_text(doctor, "%" PRId64 " h"), minutes / 60);
    else
        snprintf(text, 32, doctor_text(doctor, "%" PRId64 " days"), minutes / 1440);
    return text;
}
