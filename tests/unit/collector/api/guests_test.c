// SPDX-License-Identifier: Apache-2.0
/* Who has to go when there are too many: the one that waited longest, of the right ones.
 */
#include "collector/api/guests.h"

#include <arpa/inet.h>
#include <poll.h>
#include <stdbool.h>
#include <string.h>
#include <unistd.h>

#include "tests/support/check.h"

#define MOST        6
#define PER_ADDRESS 3

struct visit {
    struct guest *guest;
    int fds[2]; /* ours, and the guest's end */
};

static void come(struct visit *visit, struct guests *guests, const char *address)
{
    struct sockaddr_in from = {.sin_family = AF_INET};
    CHECK(inet_pton(AF_INET, address, &from.sin_addr) == 1);
    CHECK(socketpair(AF_UNIX, SOCK_STREAM, 0, visit->fds) == 0);
    visit->guest =
        guest_enter(guests, visit->fds[0], (const struct sockaddr *)(const void *)&from);
}

static void go(struct visit *visit)
{
    guest_leave(visit->guest);
    close(visit->fds[0]);
    close(visit->fds[1]);
    visit->guest = NULL;
}

static bool is_cut(const struct visit *visit)
{
    struct pollfd poll_fd = {.fd = visit->fds[1], .events = POLLIN};
    char byte;
    return poll(&poll_fd, 1, 0) == 1 && read(visit->fds[1], &byte, 1) == 0;
}

/* As text: 'x' for each that was cut. */
static const char *cuts(const struct visit *visits, size_t count, char text[16])
{
    for (size_t i = 0; i < count; i++)
        text[i] = is_cut(&visits[i]) ? 'x' : '.';
    text[count] = '\0';
    return text;
}

static void of_one_address_the_oldest_goes(void)
{
    int context = 7;
    char text[16];
    struct visit visits[5] = {0};
    struct guests *guests = guests_create(MOST, PER_ADDRESS, &context);
    come(&visits[0], guests, "10.0.0.1");
    come(&visits[1], guests, "10.0.0.2");
    come(&visits[2], guests, "10.0.0.2");
    come(&visits[3], guests, "10.0.0.2");
    CHECK(strcmp(cuts(visits, 4, text), "....") == 0);
    CHECK(guest_context(visits[0].guest) == &context);
    come(&visits[4], guests, "10.0.0.2");
    CHECK(strcmp(cuts(visits, 5, text), ".x...") == 0);
    for (size_t i = 0; i < 5; i++)
        go(&visits[i]);
    guests_destroy(guests);
}

static void of_all_the_oldest_goes(void)
{
    static const char *const from[] = {"10.0.0.1", "10.0.0.2", "10.0.0.3", "10.0.0.4",
                                       "10.0.0.5", "10.0.0.6", "10.0.0.7", "10.0.0.8"};
    char text[16];
    struct visit visits[8] = {0};
    struct guests *guests = guests_create(MOST, PER_ADDRESS, NULL);
    for (size_t i = 0; i < 6; i++)
        come(&visits[i], guests, from[i]);
    CHECK(strcmp(cuts(visits, 6, text), "......") == 0);
    come(&visits[6], guests, from[6]);
    CHECK(strcmp(cuts(visits, 7, text), "x......") == 0);
    come(&visits[7], guests, from[7]); /* who is cut counts no more */
    CHECK(strcmp(cuts(visits, 8, text), "xx......") == 0);
    for (size_t i = 0; i < 8; i++)
        go(&visits[i]);
    guests_destroy(guests);
}

static void of_all_one_of_the_largest_crowd_goes(void)
{
    static const char *const from[] = {"10.0.0.1", "10.0.0.2", "10.0.0.3", "10.0.0.3",
                                       "10.0.0.2", "10.0.0.2", "10.0.0.4", "10.0.0.5"};
    char text[16];
    struct visit visits[8] = {0};
    struct guests *guests = guests_create(MOST, PER_ADDRESS, NULL);
    for (size_t i = 0; i < 7; i++)
        come(&visits[i], guests, from[i]);
    CHECK(strcmp(cuts(visits, 7, text), ".x.....") == 0);
    come(&visits[7], guests, from[7]); /* two each now: the oldest of them */
    CHECK(strcmp(cuts(visits, 8, text), ".xx.....") == 0);
    for (size_t i = 0; i < 8; i++)
        go(&visits[i]);
    guests_destroy(guests);
}

static void who_is_answered_stays_and_who_was_waits_anew(void)
{
    char text[16];
    struct visit visits[6] = {0};
    struct guests *guests = guests_create(MOST, PER_ADDRESS, NULL);
    come(&visits[0], guests, "10.0.0.1");
    come(&visits[1], guests, "10.0.0.1");
    come(&visits[2], guests, "10.0.0.1");
    guest_is_served(visits[0].guest);
    come(&visits[3], guests, "10.0.0.1");
    CHECK(strcmp(cuts(visits, 4, text), ".x..") == 0);
    guest_waits(visits[0].guest); /* the youngest of those who wait */
    come(&visits[4], guests, "10.0.0.1");
    CHECK(strcmp(cuts(visits, 5, text), ".xx..") == 0);
    guest_is_served(visits[0].guest);
    guest_is_served(visits[3].guest);
    guest_is_served(visits[4].guest);
    come(&visits[5], guests, "10.0.0.1"); /* nobody can go */
    CHECK(strcmp(cuts(visits, 6, text), ".xx...") == 0);
    for (size_t i = 0; i < 6; i++)
        go(&visits[i]);
    guests_destroy(guests);
}

static void an_unknown_address_is_one_address(void)
{
    char text[16];
    struct visit visits[4] = {0};
    struct guests *guests = guests_create(MOST, PER_ADDRESS, NULL);
    for (size_t i = 0; i < 4; i++) {
        CHECK(socketpair(AF_UNIX, SOCK_STREAM, 0, visits[i].fds) == 0);
        visits[i].guest = guest_enter(guests, visits[i].fds[0], NULL);
    }
    CHECK(strcmp(cuts(visits, 4, text), "x...") == 0);
    for (size_t i = 0; i < 4; i++)
        go(&visits[i]);
    guests_destroy(guests);
}

int main(void)
{
    CU_TestInfo tests[] = {
        {"of one address the oldest goes", of_one_address_the_oldest_goes},
        {"of all the oldest goes", of_all_the_oldest_goes},
        {"of all, one of the largest crowd goes", of_all_one_of_the_largest_crowd_goes},
        {"who is answered stays, and who was waits anew",
         who_is_answered_stays_and_who_was_waits_anew},
        {"an unknown address is one address", an_unknown_address_is_one_address},
        CU_TEST_INFO_NULL,
    };
    return check_run("guests", tests);
}
