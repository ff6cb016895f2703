// SPDX-License-Identifier: Apache-2.0
/*
 * mem - memory that is there, or the process ends.
 *
 * The journals are durable and a supervisor restarts us, so exhaustion ends the
 * process with a log line. Sizes which a peer chose are bounded by the caller first.
 * Any thread.
 */
#ifndef COLDCHAIN_BASE_MEM_H
#define COLDCHAIN_BASE_MEM_H

#include <stddef.h>

/* Zeroed; never NULL, also for zero bytes. The caller frees with free(). */
void *mem_alloc(size_t size) __attribute__((malloc, returns_nonnull));

/* Zeroed array; ends the process when count * size overflows. */
void *mem_array(size_t count, size_t size) __attribute__((malloc, returns_nonnull));

/* Contents beyond the old size are not zeroed. */
void *mem_realloc(void *memory, size_t size) __attribute__((returns_nonnull));

char *mem_strdup(const char *text) __attribute__((malloc, returns_nonnull));
char *mem_strndup(const char *text, size_t len) __attribute__((malloc, returns_nonnull));
void *mem_dup(const void *data, size_t size) __attribute__((malloc, returns_nonnull));

/* Formatted text; the caller owns it. */
char *mem_format(const char *fmt, ...)
    __attribute__((format(printf, 1, 2), returns_nonnull));

/*
 * Grows *array (of elements of `size` bytes) so that it holds at least `want`
 * elements, doubling. *capacity is in elements.
 */
void mem_grow(void *array, size_t *capacity, size_t want, size_t size);

#endif
