// SPDX-License-Identifier: Apache-2.0
/*
 * broker - a real mosquitto of a test's own: free ports, a folder, a password file.
 *
 * It listens on 127.0.0.1 only and dies with the test program. Users "one" and "two" have
 * the password BROKER_PASSWORD and may use all topics but forbidden/#.
 */
#ifndef COLDCHAIN_TESTS_SUPPORT_BROKER_H
#define COLDCHAIN_TESTS_SUPPORT_BROKER_H

#include <stdbool.h>
#include <sys/types.h>

#include "tests/support/folder.h"

#define BROKER_PASSWORD        "pass word"
#define BROKER_RECEIVE_MAXIMUM 30

struct broker {
    struct folder folder;
    int port;
    int tls_port; /* certificate for "localhost" */
    pid_t pid;    /* 0: not running */
    char uri[64];
    char tls_uri[64];
    char ca_file[360];       /* signed the broker's certificate */
    char other_ca_file[360]; /* did not */
};

/*
 * Makes folder, passwords and certificates, picks ports, starts it. False, with the
 * reason on stdout, when mosquitto or openssl is not installed or does not start.
 */
bool broker_open(struct broker *broker);
/* Ends it and removes the folder. */
void broker_close(struct broker *broker);

/* Again on the same ports, with what it stored at a SIGTERM. */
bool broker_start(struct broker *broker);
/* Sends the signal; waits for the end when it is SIGTERM or SIGKILL. */
void broker_signal(struct broker *broker, int signal_number);

/* A TCP port of 127.0.0.1 that was free a moment ago. */
int broker_free_port(void);

#endif
