// SPDX-License-Identifier: Apache-2.0
/*
 * What rings on this machine: programs that the daemons run, and an agent's own alarm.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/file.h"
#include "base/tree.h"
#include "coldchainctl/doctor.h"
#include "coldchainctl/show.h"

#define CONFIG_MAX (1u << 20)
#define LINE_MAX   256

static const char area[] = "siren";

/* ---- a program ------------------------------------------------------------------------
 */

/* The interpreter that its first line names, without arguments; "": none. */
static void read_interpreter(char interpreter[LINE_MAX], const char *path)
{
    char line[LINE_MAX] = "";
    interpreter[0] = '\0';
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return;
    ssize_t len = read(fd, line, sizeof line - 1);
    close(fd);
    if (len < 2 || line[0] != '#' || line[1] != '!')
        return;
    line[len] = '\0';
    line[strcspn(line, "\n")] = '\0';
    const char *start = line + 2 + strspn(line + 2, " \t");
    snprintf(interpreter, LINE_MAX, "%.*s", (int)strcspn(start, " \t"), start);
}

static void look_interpreter(struct doctor *doctor, const char *where, const char *what,
                             const char *path)
{
    char interpreter[LINE_MAX];
    read_interpreter(interpreter, path);
    size_t len = strlen(interpreter);
    if (len > 0 && interpreter[len - 1] == '\r')
        doctor_say(doctor, DOCTOR_PROBLEM, where,
                   "save it with Unix line ends (sed -i 's/\\r$//' FILE): it cannot be "
                   "run so",
                   "%s: the first line of %s ends as on Windows", what, path);
    else if (len > 0 && access(interpreter, X_OK) != 0)
        doctor_say(doctor, DOCTOR_PROBLEM, where,
                   "install it, or correct the first line of the script",
                   "%s: %s is to be run by %s: %s", what, path, interpreter,
                   strerror(errno));
    else
        doctor_say(doctor, DOCTOR_OK, where, NULL, "%s: %s is there and can be run", what,
                   path);
}

void doctor_look_program(struct doctor *doctor, const char *where, const char *what,
                         const char *path)
{
    struct stat found;
    unsigned mode = 0;
    if (stat(path, &found) == 0)
        mode = (unsigned)(found.st_mode & 07777);
    else {
        doctor_say(doctor, DOCTOR_PROBLEM, where,
                   "put the program there, or correct the path in the configuration: "
                   "until then nothing is run",
                   "%s: %s: %s", what, path, strerror(errno));
        return;
    }
    if (!S_ISREG(found.st_mode))
        doctor_say(doctor, DOCTOR_PROBLEM, where,
                   "name a program, not a folder or a device", "%s: %s is no file", what,
                   path);
    else if ((mode & (S_IXUSR | S_IXGRP | S_IXOTH)) == 0)
        doctor_say(doctor, DOCTOR_PROBLEM, where, "let it be run (chmod +x FILE)",
                   "%s: nobody may run %s (mode %04o)", what, path, mode);
    else if ((mode & S_IWOTH) != 0)
        doctor_say(doctor, DOCTOR_PROBLEM, where,
                   "let its owner alone write it (chmod go-w FILE)",
                   "%s: everybody on this machine can replace %s (mode %04o)", what, path,
                   mode);
    else if ((mode & S_IXOTH) == 0)
        doctor_say(doctor, DOCTOR_WARNING, where,
                   "see that the daemon's user or its group is the file's: it runs it",
                   "%s: only its owner and its group may run %s (mode %04o)", what, path,
                   mode);
    else
        look_interpreter(doctor, where, what, path);
}

/* ---- an agent -------------------------------------------------------------------------
 */

/* The first word of the list; NULL when it is not set. */
static const char *program_of(const struct tree *alarm, const char *key)
{
    const struct tree *command = tree_get(alarm, key);
    bool is_list = command != NULL && command->kind == TREE_LIST && command->count > 0 &&
                   command->items[0].kind == TREE_TEXT;
    return is_list ? command->items[0].text : NULL;
}

static const char *text_of(const struct tree *map, const char *key)
{
    const struct tree *value =
        map != NULL && map->kind == TREE_MAP ? tree_get(map, key) : NULL;
    return value != NULL && value->kind == TREE_TEXT ? value->text : NULL;
}

static void look_commands(struct doctor *doctor, const struct tree *alarm)
{
    static const struct {
        const char *key;
        const char *name;
    } rows[] = {{"command", "alarm.command"}, {"on_incident", "alarm.on_incident"}};
    size_t count = 0;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        const char *program = program_of(alarm, rows[i].key);
        if (program == NULL)
            continue;
        count++;
        doctor_look_program(doctor, area, rows[i].name, program);
    }
    if (count == 0)
        doctor_say(
            doctor, DOCTOR_WARNING, area,
            "set alarm.on_incident (rooms) and alarm.command (no connection) in the "
            "agent's configuration: docs/alarms.md",
            "nothing rings here when the collector cannot be reached");
    else if (program_of(alarm, "on_incident") == NULL)
        doctor_say(doctor, DOCTOR_WARNING, area,
                   "set alarm.on_incident in the agent's configuration: docs/alarms.md",
                   "a room that gets warm rings here by the collector only");
}

static void look_mute(struct doctor *doctor, const struct tree *alarm)
{
    char span[32];
    struct stat found;
    const char *path = text_of(alarm, "mute_file");
    if (path == NULL || stat(path, &found) != 0)
        return;
    int64_t age_ms = doctor->now_ms - (int64_t)found.st_mtime * 1000;
    doctor_say(
        doctor, DOCTOR_WARNING, area,
        "remove the file when the matter is settled; what opens later rings anyway",
        "muted for %s: %s is there", doctor_span(doctor, span, age_ms > 0 ? age_ms : 0),
        path);
}

static void say_runs(struct doctor *doctor, const json_t *status, const char *key,
                     const char *name)
{
    int64_t failed = json_integer_value(json_object_get(status, key));
    if (failed > 0)
        doctor_say(doctor, DOCTOR_PROBLEM, area,
                   "run it by hand as the agent's user, and see the agent's log "
                   "(journalctl -u coldchain-agent)",
                   "%s failed %" PRId64 " times since the agent started", name, failed);
}

static void look_status(struct doctor *doctor, const struct tree *root)
{
    const char *path = text_of(tree_get(root, "status"), "file");
    json_t *status = path != NULL ? json_load_file(path, 0, NULL) : NULL;
    if (status == NULL)
        return;
    say_runs(doctor, status, "alarm_runs_failed", "alarm.command");
    say_runs(doctor, status, "incident_runs_failed", "alarm.on_incident");
    if (json_is_true(json_object_get(status, "is_ringing")))
        doctor_say(doctor, DOCTOR_PROBLEM, area,
                   "see network, broker and collector: readings are kept here meanwhile",
                   "it rings: nothing was acknowledged for too long");
    int64_t open = json_integer_value(json_object_get(status, "incidents_open"));
    if (open > 0)
        doctor_say(doctor, DOCTOR_WARNING, area,
                   "see 'incidents' in the agent's status file, and the room",
                   "incidents that are open here: %" PRId64, open);
    json_decref(status);
}

void doctor_look_siren(struct doctor *doctor)
{
    struct buf text = {0};
    struct err_text why = {""};
    struct tree *root = NULL;
    if (doctor->agent_file == NULL)
        return;
    enum err err = file_read(&text, doctor->agent_file, CONFIG_MAX, &why);
    if (err == ERR_OK)
        err = tree_parse(&root, doctor->agent_file, text.data, text.len, &why);
    if (err == ERR_OK && root->kind != TREE_MAP)
        err = err_set(&why, ERR_INVALID, "%s: no settings", doctor->agent_file);
    if (err != ERR_OK) {
        doctor_say(doctor, DOCTOR_PROBLEM, area,
                   "see what 'coldchain-agent --config FILE --check' says of it",
                   "the agent's configuration cannot be read: %s", why.text);
    } else {
        const struct tree *alarm = tree_get(root, "alarm");
        bool is_map = alarm != NULL && alarm->kind == TREE_MAP;
        const struct tree none = {.kind = TREE_MAP};
        look_commands(doctor, is_map ? alarm : &none);
        look_mute(doctor, is_map ? alarm : &none);
        look_status(doctor, root);
    }
    tree_destroy(root);
    buf_fini(&text);
}
