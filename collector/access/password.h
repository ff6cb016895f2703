// SPDX-License-Identifier: Apache-2.0
/*
 * password - which passwords are taken. Pure.
 *
 * Length is what counts; rules about kinds of characters are not made, because people
 * answer them with "Password1!" (NIST SP 800-63B, 5.1.1.2).
 */
#ifndef COLDCHAIN_COLLECTOR_ACCESS_PASSWORD_H
#define COLDCHAIN_COLLECTOR_ACCESS_PASSWORD_H

#include "base/err.h"

#define PASSWORD_LEAST 10  /* characters */
#define PASSWORD_MOST  200 /* bytes */

/* INVALID with a sentence that says what to do. `login` may be "". */
MUST_CHECK enum err password_check(const char *password, const char *login,
                                   struct err_text *why);

#endif
