// SPDX-License-Identifier: Apache-2.0
#include "coldchainctl/prompt.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

#include "base/crypto.h"
#include "coldchainctl/say.h"

/* Whoever ends us at the question gets his terminal back as it was. */
static struct termios shown;

static void show_again(int signal)
{
    tcsetattr(STDIN_FILENO, TCSAFLUSH, &shown);
    raise(signal); /* SA_RESETHAND: it ends us now */
}

static void hide(void)
{
    struct sigaction action = {.sa_flags = (int)(SA_RESETHAND | SA_NODEFER)};
    action.sa_handler = show_again;
    struct termios hidden = shown;
    hidden.c_lflag &= ~(tcflag_t)ECHO;
    sigaction(SIGINT, &action, NULL);
    sigaction(SIGTERM, &action, NULL);
    tcsetattr(STDIN_FILENO, TCSAFLUSH, &hidden);
}

static void show(void)
{
    tcsetattr(STDIN_FILENO, TCSAFLUSH, &shown);
    signal(SIGINT, SIG_DFL);
    signal(SIGTERM, SIG_DFL);
    fputc('\n', stderr);
}

/* Byte by byte and past stdio, whose buffer would keep a secret. */
static enum err read_line(char answer[PROMPT_SIZE], struct err_text *why)
{
    size_t len = 0;
    char byte = '\0';
    ssize_t count;
    while ((count = read(STDIN_FILENO, &byte, 1)) == 1 && byte != '\n')
        if (len < PROMPT_SIZE)
            answer[len++] = byte;
    if (len == PROMPT_SIZE)
        return err_set(why, ERR_INVALID, say("the answer has more than %d bytes"),
                       PROMPT_SIZE - 1);
    answer[len] = '\0';
    if (len > 0 && answer[len - 1] == '\r')
        answer[len - 1] = '\0';
    return count == 1 || len > 0 ? ERR_OK
                                 : err_set(why, ERR_INVALID, say("no answer was given"));
}

static enum err ask(char answer[PROMPT_SIZE], const char *question, bool is_secret,
                    struct err_text *why)
{
    bool is_terminal = tcgetattr(STDIN_FILENO, &shown) == 0;
    if (is_terminal && is_secret)
        hide(); /* before the question, which invites an answer */
    if (is_terminal)
        fprintf(stderr, "%s: ", question);
    enum err err = read_line(answer, why);
    if (is_terminal && is_secret)
        show();
    return err;
}

enum err prompt_line(char answer[PROMPT_SIZE], const char *question, struct err_text *why)
{
    return ask(answer, question, false, why);
}

enum err prompt_secret(char answer[PROMPT_SIZE], const char *question,
                       struct err_text *why)
{
    return ask(answer, question, true, why);
}

enum err prompt_new_secret(char answer[PROMPT_SIZE], const char *question,
                           struct err_text *why)
{
    char again[PROMPT_SIZE] = "";
    enum err err = prompt_secret(answer, question, why);
    if (err != ERR_OK || !isatty(STDIN_FILENO))
        return err;
    err = prompt_secret(again, say("once more"), why);
    if (err == ERR_OK && strcmp(answer, again) != 0)
        err = err_set(why, ERR_INVALID, say("the two differ; nothing was changed"));
    crypto_wipe(again, sizeof again);
    return err;
}

bool prompt_yes(const char *question)
{
    char answer[PROMPT_SIZE] = "";
    struct err_text why;
    return isatty(STDIN_FILENO) && prompt_line(answer, question, &why) == ERR_OK &&
           (answer[0] == 'y' || answer[0] == 'Y');
}
