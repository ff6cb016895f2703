// SPDX-License-Identifier: Apache-2.0
/*
 * width - how many columns a text takes on a terminal, and where to cut it.
 *
 * East Asian wide and fullwidth characters take two, combining marks and joiners none,
 * whatever the locale. Ambiguous ones (Greek, a degree sign, box drawing) take one, as
 * terminals do unless told otherwise. Broken bytes count one each. Pure.
 */
#ifndef COLDCHAIN_COLDCHAINCTL_WIDTH_H
#define COLDCHAIN_COLDCHAINCTL_WIDTH_H

#include <stddef.h>

size_t width_of(const char *text, size_t len);

/* Bytes of the longest start that takes at most so many columns and ends on a character,
 * with the marks that combine with it. */
size_t width_fit(const char *text, size_t len, size_t columns);

#endif
