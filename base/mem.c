// SPDX-License-Identifier: Apache-2.0
#include "base/mem.h"

#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"

static void *must(void *memory, size_t size)
{
    if (memory == NULL)
        log_fatal("out of memory bytes=%zu", size);
    return memory;
}

void *mem_alloc(size_t size)
{
    return must(calloc(1, size > 0 ? size : 1), size);
}

void *mem_array(size_t count, size_t size)
{
    if (size > 0 && count > SIZE_MAX / size)
        log_fatal("array too large count=%zu size=%zu", count, size);
    return mem_alloc(count * size);
}

void *mem_realloc(void *memory, size_t size)
{
    return must(realloc(memory, size > 0 ? size : 1), size);
}

void *mem_dup(const void *data, size_t size)
{
    void *copy = must(malloc(size > 0 ? size : 1), size);
    if (size > 0)
        memcpy(copy, data, size);
    return copy;
}

char *mem_strndup(const char *text, size_t len)
{
    char *copy = must(malloc(len + 1), len);
    memcpy(copy, text, len);
    copy[len] = '\0';
    return copy;
}

char *mem_strdup(const char *text)
{
    return mem_strndup(text, strlen(text));
}

char *mem_format(const char *fmt, ...)
{
    char *text = NULL;
    va_list args;
    va_start(args, fmt);
    if (vasprintf(&text, fmt, args) < 0)
        text = NULL;
    va_end(args);
    return must(text, strlen(fmt));
}

void mem_grow(void *array, size_t *capacity, size_t want, size_t size)
{
    if (want <= *capacity)
        return;
    size_t grown = *capacity > 0 ? *capacity : 8;
    while (grown < want)
        grown = grown > SIZE_MAX / 2 ? want : grown * 2;
    if (grown > SIZE_MAX / size)
        log_fatal("array too large count=%zu size=%zu", grown, size);
    void *memory = NULL;
    memcpy(&memory, array, sizeof memory);
    memory = mem_realloc(memory, grown * size);
    memcpy(array, &memory, sizeof memory);
    *capacity = grown;
}
