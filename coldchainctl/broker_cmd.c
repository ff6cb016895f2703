// SPDX-License-Identifier: Apache-2.0
#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "coldchainctl/commands.h"
#include "coldchainctl/options.h"
#include "telemetry/reading.h"

#define PORT_PLAIN      1883
#define PORT_TLS        8883
#define CONNECTIONS_MAX 1000000

struct broker_args {
    const char *collector;
    const char *listen;
    const char *folder;
    const char *ca_file;
    const char *cert_file;
    const char *key_file;
    const char *crl_file;
    double port;
    double connections;
    bool client_certs;
};

#define TEXT(option, field, what, name_of, about) \
    { \
        .name = option, .type = OPTION_TEXT, \
        .offset = offsetof(struct broker_args, field), .value = what, .arg = name_of, \
        .help = about \
    }

static const struct option options[] = {
    TEXT("collector", collector, "a user name", "NAME",
         "the collector's user (collector)"),
    TEXT("listen", listen, "an address", "ADDRESS",
         "the one address it listens on (127.0.0.1)"),
    TEXT("dir", folder, "a folder", "DIR",
         "where passwords and acl are (/etc/mosquitto/coldchain)"),
    TEXT("ca-file", ca_file, "a file", "FILE", "certificates of those who may sign it"),
    TEXT("cert-file", cert_file, "a file", "FILE", "certificate of the broker: TLS"),
    TEXT("key-file", key_file, "a file", "FILE", "its private key"),
    TEXT("crl-file", crl_file, "a file", "FILE", "certificates that were revoked"),
    {.name = "port",
     .type = OPTION_NUMBER,
     .offset = offsetof(struct broker_args, port),
     .least = 1,
     .most = 65535,
     .value = "a port",
     .arg = "N",
     .help = "1883, with TLS 8883"},
    {.name = "connections",
     .type = OPTION_NUMBER,
     .offset = offsetof(struct broker_args, connections),
     .least = 2,
     .most = CONNECTIONS_MAX,
     .value = "a number",
     .arg = "N",
     .help = "at most so many clients (10000)"},
    {.name = "client-certs",
     .type = OPTION_FLAG,
     .offset = offsetof(struct broker_args, client_certs),
     .help = "a certificate of that CA instead of a password; its common name is the "
             "user"},
    {.name = NULL},
};

/*
 * mosquitto applies `user` rules to that user alone and `pattern` rules to everybody.
 * readings/+/+ and not readings/#: somebody called just "fengjie" could otherwise write
 * coldchain/v1/fengjie/readings/status, the status of a device "readings".
 */
static void print_acl(const struct broker_args *args)
{
    printf(
        "# Who may do what (docs/wire.md). Devices are the users \"{org}/{device}\": %%u is\n"
        "# their name, so each reaches its own topics only.\n"
        "user %s\n"
        "topic read coldchain/v1/+/+/readings/+/+\n"
        "topic read coldchain/v1/+/+/status\n"
        "topic read coldchain/v1/+/+/hello\n"
        "topic write coldchain/v1/+/+/ack\n"
        "topic write coldchain/v1/+/+/command\n"
        "topic write coldchain/v1/+/+/config\n"
        "topic write coldchain/v1/+/zones/#\n"
        "topic write coldchain/v1/+/alarms/#\n"
        "\n"
        "pattern write coldchain/v1/%%u/readings/+/+\n"
        "pattern write coldchain/v1/%%u/status\n"
        "pattern write coldchain/v1/%%u/hello\n"
        "pattern read coldchain/v1/%%u/ack\n"
        "pattern read coldchain/v1/%%u/command\n"
        "pattern read coldchain/v1/%%u/config\n",
        args->collector);
}

static void print_tls(const struct broker_args *args)
{
    printf("\n"
           "certfile %s\n"
           "keyfile %s\n"
           "tls_version tlsv1.2\n",
           args->cert_file, args->key_file);
    if (args->ca_file != NULL)
        printf("cafile %s\n", args->ca_file);
    if (args->crl_file != NULL)
        printf("crlfile %s\n", args->crl_file);
    if (args->client_certs)
        fputs("# Who connects is what the certificate's common name says: ORG/DEVICE.\n"
              "require_certificate true\n"
              "use_identity_as_username true\n",
              stdout);
}

static const char limits[] =
    "\n"
    "# The collector's session outlives a restart of either side.\n"
    "persistence true\n"
    "# Where Debian's mosquitto.conf does not say so already:\n"
    "#persistence_location /var/lib/mosquitto/\n"
    "autosave_interval 60\n"
    "persistent_client_expiration 30d\n"
    "\n"
    "# Packs are at most 1 MiB. While the collector is away its queue grows up to this;\n"
    "# what does not fit the agents keep, for only an ack of the collector releases it.\n"
    "max_packet_size 1100000\n"
    "message_size_limit 1048576\n"
    "max_inflight_messages 100\n"
    "max_queued_messages 100000\n"
    "max_queued_bytes 268435456\n"
    "memory_limit 536870912\n"
    "max_keepalive 3600\n";

static bool is_loopback(const char *address)
{
    return strncmp(address, "127.", 4) == 0 || strcmp(address, "::1") == 0 ||
           strcmp(address, "localhost") == 0;
}

static int print_config(const struct broker_args *args)
{
    bool has_tls = args->cert_file != NULL;
    int port = isnan(args->port) ? (has_tls ? PORT_TLS : PORT_PLAIN) : (int)args->port;
    printf("# Broker of a cold chain (docs/broker.md). Users are ORG/DEVICE and %s:\n"
           "# coldchainctl broker user NAME; rules: coldchainctl broker acl.\n",
           args->collector);
    if (!has_tls && !is_loopback(args->listen))
        fputs("# MIND: without TLS passwords travel in the clear; give --cert-file.\n",
              stdout);
    printf("listener %d %s\n"
           "max_connections %d\n"
           "# Nobody takes the session of somebody else by its client id.\n"
           "use_username_as_clientid true\n"
           "allow_anonymous false\n",
           port, args->listen, (int)args->connections);
    if (!args->client_certs)
        printf("password_file %s/passwords\n", args->folder);
    printf("acl_file %s/acl\n", args->folder);
    if (has_tls)
        print_tls(args);
    fputs(limits, stdout);
    return COMMAND_OK;
}

/* True for "ORG/DEVICE" of valid identifiers, and for the collector's own name. */
static bool is_user(const char *name, const char *collector)
{
    char org[ID_SIZE];
    const char *slash = strchr(name, '/');
    if (slash == NULL)
        return strcmp(name, collector) == 0;
    size_t len = (size_t)(slash - name);
    if (len >= sizeof org)
        return false;
    memcpy(org, name, len);
    org[len] = '\0';
    return id_is_valid(org) && id_is_valid(slash + 1) && strcmp(slash + 1, "zones") != 0;
}

static int print_user(const struct broker_args *args, const char *name)
{
    if (!is_user(name, args->collector))
        return command_usage(
            "broker",
            "'%.140s' is no user: ORG/DEVICE, each of letters, digits, _ and -, at most "
            "%d, DEVICE not 'zones'; or '%s', the collector's own",
            name, ID_MAX, args->collector);
    printf("mosquitto_passwd %s/passwords %s\n", args->folder, name);
    return COMMAND_OK;
}

static const char *what_is_wrong(const struct broker_args *args)
{
    if (!id_is_valid(args->collector))
        return "--collector takes letters, digits, _ and -: its name stands in the rules";
    if ((args->cert_file == NULL) != (args->key_file == NULL))
        return "--cert-file and --key-file belong together";
    if (args->client_certs && (args->cert_file == NULL || args->ca_file == NULL))
        return "--client-certs needs --cert-file, --key-file and --ca-file";
    if (args->crl_file != NULL && args->ca_file == NULL)
        return "--crl-file needs --ca-file";
    return NULL;
}

static int broker_run(int argc, char **argv)
{
    struct broker_args args = {.collector = "collector",
                               .listen = "127.0.0.1",
                               .folder = "/etc/mosquitto/coldchain",
                               .connections = 10000,
                               .port = (double)NAN};
    struct err_text why = {""};
    if (options_take(options, &args, &argc, argv, &why) != ERR_OK)
        return command_usage("broker", "%s", why.text);
    const char *wrong = what_is_wrong(&args);
    if (wrong != NULL)
        return command_usage("broker", "%s", wrong);
    if (argc == 3 && strcmp(argv[1], "user") == 0)
        return print_user(&args, argv[2]);
    if (argc != 2)
        return command_usage("broker", "give acl, config or user NAME");
    if (strcmp(argv[1], "config") == 0)
        return print_config(&args);
    if (strcmp(argv[1], "acl") != 0)
        return command_usage("broker", "'%.40s' is not acl, config or user", argv[1]);
    print_acl(&args);
    return COMMAND_OK;
}

const struct command broker_command = {
    .name = "broker",
    .summary = "a mosquitto configuration and its access rules, to begin with",
    .verbs = "acl config user",
    .usage = "acl [--collector NAME]\n"
             "config [--listen ADDRESS] [--port N] [--dir DIR] [--cert-file F "
             "--key-file F] [--ca-file F] [--client-certs] [--crl-file F] "
             "[--connections N]\n"
             "user NAME [--dir DIR]\n",
    .about = "Prints what mosquitto needs so that nobody is anonymous and every device "
             "reaches its own topics only. `user` checks a name (ORG/DEVICE, or the "
             "collector's) and prints the command that gives it a password. Nothing is "
             "written or started.\n",
    .options = options,
    .examples =
        "coldchainctl broker acl >/etc/mosquitto/coldchain/acl\n"
        "coldchainctl broker config --listen 0.0.0.0 --cert-file /etc/ssl/mq.crt \\\n"
        "    --key-file /etc/ssl/private/mq.key >/etc/mosquitto/conf.d/coldchain.conf\n"
        "coldchainctl broker user fengjie/room-3\n",
    .statuses = "0 printed\n"
                "2 wrong usage\n",
    .run = broker_run,
};
