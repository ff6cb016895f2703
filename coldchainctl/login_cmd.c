// SPDX-License-Identifier: Apache-2.0
#include <stdio.h>
#include <string.h>

#include "base/crypto.h"
#include "coldchainctl/client.h"
#include "coldchainctl/commands.h"
#include "coldchainctl/keyring.h"
#include "coldchainctl/prompt.h"
#include "coldchainctl/say.h"
#include "coldchainctl/show.h"

struct login_args {
    struct client_args client;
    const char *as;
    bool wants_json;
};

static const struct option options[] = {
    CLIENT_OPTION("api", struct login_args, client.api, "a URL", "URL",
                  "where the collector's API is (COLDCHAIN_API, else " CLIENT_API_DEFAULT
                  ")"),
    CLIENT_OPTION("token-file", struct login_args, client.token_file, "a file", "FILE",
                  "keeps the token there, and not for later commands without it"),
    CLIENT_OPTION("ca-file", struct login_args, client.ca_file, "a file", "FILE",
                  "certificates to trust for https"),
    {.name = "as",
     .type = OPTION_TEXT,
     .offset = offsetof(struct login_args, as),
     .value = "a sign-in name",
     .arg = "NAME",
     .help = "the sign-in name; asked for when absent"},
    {.name = "json",
     .type = OPTION_FLAG,
     .offset = offsetof(struct login_args, wants_json),
     .help = "who signed in and until when"},
    {.name = NULL},
};

static enum err sign_in(struct client *client, const char *name, json_t **answer,
                        struct err_text *why)
{
    char password[PROMPT_SIZE] = "";
    enum err err = prompt_secret(password, say("password"), why);
    json_t *body =
        json_pack("{s:s, s:s, s:b}", "login", name, "password", password, "token", 1);
    crypto_wipe(password, sizeof password);
    if (err == ERR_OK && body == NULL)
        err = err_set(why, ERR_INVALID, say("name or password is no UTF-8"));
    if (err == ERR_OK)
        err = client_post(client, "/api/v1/login", body, answer, why);
    json_decref(body);
    return err;
}

static enum err keep(const struct client *client, const struct login_args *args,
                     const json_t *answer, struct err_text *why)
{
    const char *token = json_string_value(json_object_get(answer, "token"));
    if (token == NULL)
        return err_set(
            why, ERR_UNSUPPORTED,
            say("the collector at %.150s is older and gives programs no session; "
                "make a token with its api.token"),
            client_url(client));
    return args->client.token_file != NULL
               ? keyring_write(args->client.token_file, token, why)
               : keyring_keep(client_url(client), token, why);
}

static enum err login(struct client *client, const struct login_args *args,
                      struct err_text *why)
{
    char asked[PROMPT_SIZE] = "";
    json_t *answer = NULL;
    const char *name = args->as != NULL ? args->as : asked;
    enum err err =
        args->as != NULL ? ERR_OK : prompt_line(asked, say("sign-in name"), why);
    if (err == ERR_OK)
        err = sign_in(client, name, &answer, why);
    if (err == ERR_OK)
        err = keep(client, args, answer, why);
    if (err == ERR_OK && args->wants_json) {
        json_object_del(answer, "token");
        show_json(answer);
        return ERR_OK;
    }
    if (err == ERR_OK) {
        char until[SHOW_SIZE];
        printf(say("%s is signed in at %s until %s\n"), show_text(answer, "id"),
               client_url(client), show_time(until, answer, "expires"));
    }
    json_decref(answer);
    return err;
}

static int login_run(int argc, char **argv)
{
    struct login_args args = {.as = NULL};
    struct err_text why = {""};
    struct client *client = NULL;
    if (options_take(options, &args, &argc, argv, &why) != ERR_OK)
        return command_usage("login", "%s", why.text);
    if (argc > 1)
        return command_usage("login", "nothing is expected behind the options");
    enum err err = client_open_anonymous(&client, &args.client, &why);
    if (err == ERR_OK)
        err = login(client, &args, &why);
    client_close(client);
    return err == ERR_OK ? COMMAND_OK : command_fail("login", err, &why);
}

const struct command login_command = {
    .name = "login",
    .summary = "sign in, so that later commands are yours",
    .usage = "[--as NAME] [--token-file FILE] [options]\n",
    .about = "Asks for sign-in name and password, which the terminal does not show, and "
             "keeps the session's token for that address in "
             "$XDG_CONFIG_HOME/coldchain/tokens (else ~/.config/coldchain/tokens), which "
             "you alone can read. Later commands use it. It ends after 12 hours without "
             "use, after 7 days, and by 'coldchainctl logout'.\n"
             "Without a terminal the answers are the lines of standard input.\n",
    .options = options,
    .examples = "coldchainctl login\n"
                "coldchainctl login --api https://cold.example --as wang\n"
                "coldchainctl login --as wang < password.txt\n",
    .statuses = "0 signed in\n"
                "1 the name or password is wrong, or the API could not be asked\n"
                "2 wrong usage\n",
    .run = login_run,
};

/* ---- logout ---------------------------------------------------------------------------
 */

static const struct option logout_options[] = {
    CLIENT_OPTIONS(struct login_args, client),
    {.name = NULL},
};

/* A session that has ended already is as good. */
static enum err logout(const struct login_args *args, struct err_text *why)
{
    struct client *client = NULL;
    json_t *answer = NULL;
    enum err err = client_open(&client, &args->client, why);
    if (err == ERR_OK)
        err = client_post(client, "/api/v1/logout", NULL, &answer, why);
    json_decref(answer);
    if ((err == ERR_OK || err == ERR_DENIED) && args->client.token_file == NULL)
        err = keyring_keep(client_url(client), NULL, why);
    client_close(client);
    return err;
}

static int logout_run(int argc, char **argv)
{
    struct login_args args = {.as = NULL};
    struct err_text why = {""};
    if (options_take(logout_options, &args, &argc, argv, &why) != ERR_OK)
        return command_usage("logout", "%s", why.text);
    if (argc > 1)
        return command_usage("logout", "nothing is expected behind the options");
    enum err err = logout(&args, &why);
    return err == ERR_OK ? COMMAND_OK : command_fail("logout", err, &why);
}

const struct command logout_command = {
    .name = "logout",
    .summary = "end the session that login began",
    .usage = "[options]\n",
    .about = "Ends the session at the collector and forgets its token here.\n",
    .options = logout_options,
    .examples = "coldchainctl logout\n",
    .statuses = "0 ended, or there was none\n"
                "1 the API could not be asked\n"
                "2 wrong usage\n",
    .run = logout_run,
};
