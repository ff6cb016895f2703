// SPDX-License-Identifier: Apache-2.0
#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "coldchainctl/commands.h"
#include "coldchainctl/options.h"

#define PORT_PLAIN 1883
#define PORT_TLS   8883

struct broker_args {
    const char *collector;
    const char *listen;
    const char *folder;
    const char *ca_file;
    const char *cert_file;
    const char *key_file;
    double port;
};

#define TEXT(option, field, what) \
    { \
        .name = option, .type = OPTION_TEXT, \
        .offset = offsetof(struct broker_args, field), .value = what \
    }

static const struct option options[] = {
    TEXT("collector", collector, "a user name"),
    TEXT("listen", listen, "an address"),
    TEXT("dir", folder, "a folder"),
    TEXT("ca-file", ca_file, "a file"),
    TEXT("cert-file", cert_file, "a file"),
    TEXT("key-file", key_file, "a file"),
    {.name = "port",
     .type = OPTION_NUMBER,
     .offset = offsetof(struct broker_args, port),
     .least = 1,
     .most = 65535,
     .value = "a port"},
    {.name = NULL},
};

/* mosquitto applies `user` rules to that user alone and `pattern` rules to everybody. */
static void print_acl(const struct broker_args *args)
{
    printf(
        "# Who may do what (docs/wire.md). Devices are the users \"{org}/{device}\": %%u is\n"
        "# their name, so each reaches its own topics only.\n"
        "user %s\n"
        "topic read coldchain/v1/+/+/readings/#\n"
        "topic read coldchain/v1/+/+/status\n"
        "topic read coldchain/v1/+/+/hello\n"
        "topic write coldchain/v1/+/+/ack\n"
        "topic write coldchain/v1/+/+/command\n"
        "topic write coldchain/v1/+/+/config\n"
        "topic write coldchain/v1/+/zones/#\n"
        "\n"
        "pattern write coldchain/v1/%%u/readings/#\n"
        "pattern write coldchain/v1/%%u/status\n"
        "pattern write coldchain/v1/%%u/hello\n"
        "pattern read coldchain/v1/%%u/ack\n"
        "pattern read coldchain/v1/%%u/command\n"
        "pattern read coldchain/v1/%%u/config\n",
        args->collector);
}

static void print_config(const struct broker_args *args)
{
    bool has_tls = args->cert_file != NULL;
    int port = isnan(args->port) ? (has_tls ? PORT_TLS : PORT_PLAIN) : (int)args->port;
    printf("# Broker of a cold chain. Passwords: mosquitto_passwd %s/passwords NAME,\n"
           "# for %s and for each device as ORG/DEVICE; rules: coldchainctl broker acl.\n"
           "listener %d %s\n"
           "allow_anonymous false\n"
           "password_file %s/passwords\n"
           "acl_file %s/acl\n",
           args->folder, args->collector, port, args->listen, args->folder, args->folder);
    if (has_tls)
        printf("certfile %s\nkeyfile %s\ntls_version tlsv1.2\n", args->cert_file,
               args->key_file);
    if (args->ca_file != NULL)
        printf("cafile %s\n", args->ca_file);
    fputs(
        "\n"
        "# The collector's session outlives a restart of either side.\n"
        "persistence true\n"
        "persistence_location /var/lib/mosquitto/\n"
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
        "max_keepalive 3600\n",
        stdout);
}

static int broker_run(int argc, char **argv)
{
    struct broker_args args = {.collector = "collector",
                               .listen = "127.0.0.1",
                               .folder = "/etc/mosquitto/coldchain",
                               .port = (double)NAN};
    struct err_text why = {""};
    if (options_take(options, &args, &argc, argv, &why) != ERR_OK)
        return command_usage("broker", "%s", why.text);
    if (argc != 2)
        return command_usage("broker", "give acl or config");
    if ((args.cert_file == NULL) != (args.key_file == NULL))
        return command_usage("broker", "--cert-file and --key-file belong together");
    if (strcmp(argv[1], "acl") == 0)
        print_acl(&args);
    else if (strcmp(argv[1], "config") == 0)
        print_config(&args);
    else
        return command_usage("broker", "'%.40s' is not acl or config", argv[1]);
    return COMMAND_OK;
}

const struct command broker_command = {
    .name = "broker",
    .summary = "a mosquitto configuration and its access rules, to begin with",
    .help =
        "usage: coldchainctl broker acl [--collector NAME]\n"
        "       coldchainctl broker config [--listen ADDRESS] [--port N] [--dir DIR]\n"
        "                                  [--cert-file F --key-file F] [--ca-file F]\n"
        "\n"
        "Prints what mosquitto needs so that nobody is anonymous and every device reaches its\n"
        "own topics only. Nothing is written or started.\n"
        "\n"
        "  --collector NAME    the collector's user (collector)\n"
        "  --listen ADDRESS    the one address it listens on (127.0.0.1)\n"
        "  --port N            1883, with TLS 8883\n"
        "  --dir DIR           where passwords and acl are (/etc/mosquitto/coldchain)\n"
        "  --cert-file, --key-file, --ca-file   TLS\n"
        "\n"
        "examples:\n"
        "  coldchainctl broker acl >/etc/mosquitto/coldchain/acl\n"
        "  coldchainctl broker config --listen 0.0.0.0 --cert-file /etc/ssl/mq.crt \\\n"
        "      --key-file /etc/ssl/private/mq.key >/etc/mosquitto/conf.d/coldchain.conf\n"
        "\n"
        "exit status: 0 printed, 2 wrong usage\n",
    .run = broker_run,
};
