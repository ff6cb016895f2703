// SPDX-License-Identifier: Apache-2.0
#include "tests/support/broker.h"

#include <arpa/inet.h>
#include <errno.h>
#include <signal.h>
#include <stdint.h>
#include <sys/prctl.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>

#define START_TRIES 2000 /* of 5 ms */
/* Below those which the kernel gives to outgoing connections: it stays free. */
#define FIRST_PORT 10000
#define LAST_PORT  32767

static struct sockaddr_in loopback(int port)
{
    struct sockaddr_in address = {.sin_family = AF_INET};
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    address.sin_port = htons((uint16_t)port);
    return address;
}

static bool is_free(int port)
{
    struct sockaddr_in address = loopback(port);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    bool is_bound = fd >= 0 && bind(fd, (struct sockaddr *)&address, sizeof address) == 0;
    close(fd);
    return is_bound;
}

int broker_free_port(void)
{
    unsigned dice = 0;
    int port;
    do {
        if (getrandom(&dice, sizeof dice, 0) != sizeof dice) {
            perror("no free port");
            exit(EXIT_FAILURE);
        }
        port = FIRST_PORT + (int)(dice % (LAST_PORT - FIRST_PORT + 1));
    } while (!is_free(port));
    return port;
}

static bool accepts(int port)
{
    struct sockaddr_in address = loopback(port);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    bool is_open = connect(fd, (struct sockaddr *)&address, sizeof address) == 0;
    close(fd);
    return is_open;
}

static bool write_config(struct broker *broker)
{
    FILE *file = fopen(folder_file(&broker->folder, "mosquitto.conf"), "w");
    if (file == NULL)
        return false;
    const char *dir = broker->folder.path;
    fprintf(file,
            "user root\n"
            "allow_anonymous false\n"
            "max_queued_messages 0\n"
            "max_inflight_messages %d\n"
            "persistence true\n",
            BROKER_RECEIVE_MAXIMUM);
    fprintf(file, "password_file %s/passwd\nacl_file %s/acl\n", dir, dir);
    fprintf(file, "persistence_location %s/\nlog_dest file %s/log\n", dir, dir);
    fprintf(file, "listener %d 127.0.0.1\n", broker->port);
    fprintf(file,
            "listener %d 127.0.0.1\ncertfile %s/broker.crt\nkeyfile %s/broker.key\n",
            broker->tls_port, dir, dir);
    bool is_written = fclose(file) == 0;
    file = fopen(folder_file(&broker->folder, "acl"), "w");
    if (file == NULL)
        return false;
    for (int i = 0; i < 2; i++)
        fprintf(file, "user %s\ntopic readwrite #\ntopic deny forbidden/#\n",
                i == 0 ? "one" : "two");
    return fclose(file) == 0 && is_written;
}

/* Throwaway authorities, one certificate, two users; quiet unless something fails. */
static bool make_secrets(const struct broker *broker)
{
    static const char script[] =
        "cd '%s' && exec 2>err.txt && set -e\n"
        "key='-newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes'\n"
        "openssl req -x509 $key -keyout ca.key -out ca.crt -subj /CN=ca -days 2\n"
        "openssl req -x509 $key -keyout other.key -out other.crt -subj /CN=other -days 2\n"
        "openssl req $key -keyout broker.key -out broker.csr -subj /CN=localhost\n"
        "echo subjectAltName=DNS:localhost > ext.txt\n"
        "openssl x509 -req -in broker.csr -CA ca.crt -CAkey ca.key -CAcreateserial"
        " -out broker.crt -days 2 -extfile ext.txt\n"
        "PATH=$PATH:/usr/sbin; command -v mosquitto >/dev/null\n"
        "mosquitto_passwd -b -c passwd one '%s'\n"
        "mosquitto_passwd -b passwd two '%s'\n";
    char command[2048];
    snprintf(command, sizeof command, script, broker->folder.path, BROKER_PASSWORD,
             BROKER_PASSWORD);
    int status = system(command);
    if (status != 0)
        printf("SKIP: mosquitto, mosquitto_passwd or openssl is not there\n");
    return status == 0;
}

static void become_mosquitto(const char *config)
{
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    sigset_t none;
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    if (freopen("/dev/null", "w", stderr) == NULL) {
        /* its greeting on stderr stays visible */
    }
    execlp("mosquitto", "mosquitto", "-c", config, (char *)NULL);
    execl("/usr/sbin/mosquitto", "mosquitto", "-c", config, (char *)NULL);
    _exit(127);
}

static bool has_ended(struct broker *broker)
{
    return waitpid(broker->pid, NULL, WNOHANG) == broker->pid;
}

bool broker_start(struct broker *broker)
{
    const char *config = folder_file(&broker->folder, "mosquitto.conf");
    broker->pid = fork();
    if (broker->pid == 0)
        become_mosquitto(config);
    for (int i = 0; broker->pid > 0 && i < START_TRIES; i++) {
        if (accepts(broker->port) && accepts(broker->tls_port))
            return true;
        if (has_ended(broker))
            break;
        nanosleep(&(struct timespec){.tv_nsec = 5000000}, NULL);
    }
    printf("mosquitto did not start\n");
    return false;
}

bool broker_open(struct broker *broker)
{
    *broker = (struct broker){.port = broker_free_port()};
    do
        broker->tls_port = broker_free_port();
    while (broker->tls_port == broker->port);
    folder_make(&broker->folder);
    snprintf(broker->uri, sizeof broker->uri, "mqtt://127.0.0.1:%d", broker->port);
    snprintf(broker->tls_uri, sizeof broker->tls_uri, "mqtts://localhost:%d",
             broker->tls_port);
    snprintf(broker->ca_file, sizeof broker->ca_file, "%s/ca.crt", broker->folder.path);
    snprintf(broker->other_ca_file, sizeof broker->other_ca_file, "%s/other.crt",
             broker->folder.path);
    if (write_config(broker) && make_secrets(broker) && broker_start(broker))
        return true;
    broker_close(broker);
    return false;
}

void broker_signal(struct broker *broker, int signal_number)
{
    if (broker->pid <= 0)
        return;
    kill(broker->pid, signal_number);
    if (signal_number != SIGTERM && signal_number != SIGKILL)
        return;
    while (waitpid(broker->pid, NULL, 0) < 0 && errno == EINTR)
        continue;
    broker->pid = 0;
}

void broker_close(struct broker *broker)
{
    broker_signal(broker, SIGKILL);
    folder_remove(&broker->folder);
}
