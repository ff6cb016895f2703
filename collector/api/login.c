// SPDX-License-Identifier: Apache-2.0
#include "collector/api/login.h"

#include <pthread.h>
#include <stdlib.h>

#include "base/crypto.h"
#include "base/mem.h"
#include "collector/access/throttle.h"

#define MINUTE_MS INT64_C(60000)
#define AT_A_TIME 2 /* passwords: 38 MiB */

/* An owner who is attacked waits a minute at most, an attacker makes 1,440 a day. */
static const struct throttle_policy account_policy = {
    .free = 5, .first_ms = 1000, .most_ms = MINUTE_MS, .forget_ms = 60 * MINUTE_MS};
/* A village shares one address behind its router. */
static const struct throttle_policy address_policy = {
    .free = 30, .first_ms = 1000, .most_ms = MINUTE_MS, .forget_ms = 60 * MINUTE_MS};

struct login {
    pthread_mutex_t lock;
    pthread_cond_t changed;
    /* shared, under lock */
    struct throttle *accounts;
    struct throttle *addresses;
    int checking;
};

struct login *login_create(void)
{
    struct login *login = mem_alloc(sizeof *login);
    pthread_mutex_init(&login->lock, NULL);
    pthread_cond_init(&login->changed, NULL);
    login->accounts = throttle_create(&account_policy);
    login->addresses = throttle_create(&address_policy);
    return login;
}

void login_destroy(struct login *login)
{
    if (login == NULL)
        return;
    throttle_destroy(login->accounts);
    throttle_destroy(login->addresses);
    pthread_cond_destroy(&login->changed);
    pthread_mutex_destroy(&login->lock);
    free(login);
}

int64_t login_try(struct login *login, const char *account, const char *address,
                  int64_t now_ms)
{
    pthread_mutex_lock(&login->lock);
    int64_t wait_ms = throttle_try(login->addresses, address, now_ms);
    if (wait_ms == 0 && account != NULL)
        wait_ms = throttle_try(login->accounts, account, now_ms);
    pthread_mutex_unlock(&login->lock);
    return wait_ms;
}

void login_pass(struct login *login, const char *account, const char *address)
{
    pthread_mutex_lock(&login->lock);
    throttle_pass(login->accounts, account);
    /* Not forgotten: who has an account must not guess at those of others. */
    throttle_undo(login->addresses, address);
    pthread_mutex_unlock(&login->lock);
}

/* Each takes some 50 ms, so the queue of the connections there can be is short. */
static void take_turn(struct login *login)
{
    pthread_mutex_lock(&login->lock);
    while (login->checking == AT_A_TIME)
        pthread_cond_wait(&login->changed, &login->lock);
    login->checking++;
    pthread_mutex_unlock(&login->lock);
}

static void end_turn(struct login *login)
{
    pthread_mutex_lock(&login->lock);
    login->checking--;
    pthread_cond_signal(&login->changed);
    pthread_mutex_unlock(&login->lock);
}

bool login_check(struct login *login, const char *hash, const char *password)
{
    take_turn(login);
    bool is_right = crypto_password_check(hash, password);
    end_turn(login);
    return is_right;
}

bool login_hash(struct login *login, char *hash, const char *password)
{
    take_turn(login);
    bool is_made = crypto_password_hash(hash, password);
    end_turn(login);
    return is_made;
}
