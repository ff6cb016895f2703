// SPDX-License-Identifier: Apache-2.0
/*
 * login - what all who sign in share: the brakes on guessing, and how many passwords are
 * checked at a time, because each takes memory. Any thread.
 */
#ifndef COLDCHAIN_COLLECTOR_API_LOGIN_H
#define COLDCHAIN_COLLECTOR_API_LOGIN_H

#include <stdbool.h>
#include <stdint.h>

struct login;

struct login *login_create(void);
/* Accepts NULL. */
void login_destroy(struct login *login);

/* 0: go on. Else how many milliseconds to wait. `account` NULL: there is none. */
int64_t login_try(struct login *login, const char *account, const char *address,
                  int64_t now_ms);
void login_pass(struct login *login, const char *account, const char *address);

/* See crypto_password_check() and crypto_password_hash(). */
bool login_check(struct login *login, const char *hash, const char *password);
bool login_hash(struct login *login, char *hash, const char *password);

#endif
