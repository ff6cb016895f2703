// SPDX-License-Identifier: Apache-2.0
/*
 * cppcheck - what cppcheck has to know of libraries whose headers it does not read.
 */
#ifndef COLDCHAIN_TESTS_LINT_CPPCHECK_H
#define COLDCHAIN_TESTS_LINT_CPPCHECK_H

#define json_array_foreach(array, index, value) \
    for (index = 0; index < json_array_size(array) && \
                    (value = json_array_get(array, index)) != NULL; \
         index++)

/* A pointer, as glibc says: ends a list of variadic arguments. */
#undef NULL
#define NULL ((void *)0)

#endif
