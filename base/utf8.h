// SPDX-License-Identifier: Apache-2.0
/*
 * utf8 - is it UTF-8 (RFC 3629), and what a character is in it.
 *
 * Overlong forms, surrogates and what lies past U+10FFFF are not UTF-8. Pure; any thread.
 */
#ifndef COLDCHAIN_BASE_UTF8_H
#define COLDCHAIN_BASE_UTF8_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Length of the well-formed character that `text` starts with; 0 when there is none. */
size_t utf8_len(const void *text, size_t len);
bool utf8_is_valid(const void *text, size_t len);
/*
 * UTF-8 without control characters (C0, DEL, C1) other than tab and end of line: what
 * people wrote is shown in terminals, which obey the others.
 */
bool utf8_is_plain(const void *text, size_t len);
/* Writes the 1-4 bytes of a character that is no surrogate and at most U+10FFFF. */
size_t utf8_write(uint32_t character, char bytes[4]);

/*
 * How many bytes of the text fit into a limit without cutting a character. What is not
 * UTF-8 counts byte by byte. The second counts units of UTF-16, as some services do.
 */
size_t utf8_fit(const char *text, size_t len, size_t max_bytes);
size_t utf8_fit_utf16(const char *text, size_t len, size_t max_units);

#endif
