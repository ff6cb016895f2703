// SPDX-License-Identifier: Apache-2.0
/*
 * upkeep - what whoever runs the installation asks: backups, and packs from files.
 */
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "collector/api/internal.h"
#include "collector/api/routes.h"
#include "collector/backup.h"
#include "telemetry/topic.h"

/* False, and answered, in a house without stores of its own. */
static bool has_backups(struct api_call *call)
{
    if (api_backup(call->api) == NULL)
        api_store_problem(call, ERR_NOT_FOUND);
    return api_backup(call->api) != NULL;
}

void api_begin_backup(struct api_call *call)
{
    struct err_text why = {0};
    if (!has_backups(call))
        return;
    enum err err = backup_begin(api_backup(call->api), &call->out, &why);
    if (err == ERR_OK)
        return;
    buf_clear(&call->out);
    api_refuse(call, err == ERR_BUSY ? PROBLEM_BACKUP_BUSY : PROBLEM_BACKUP_FAILED, "why",
               why.text, NULL);
}

void api_read_backup(struct api_call *call)
{
    uint64_t offset;
    uint64_t limit;
    const char *name = api_param(call, "name");
    if (!has_backups(call) ||
        !api_read_number(call, "offset", 0, INT64_MAX, 0, &offset) ||
        !api_read_number(call, "limit", 1, BACKUP_PIECE_MAX, BACKUP_PIECE_MAX, &limit))
        return;
    enum err err =
        backup_read(api_backup(call->api), call->parts[0], name != NULL ? name : "",
                    offset, (size_t)limit, &call->out);
    call->content_type = "application/octet-stream";
    if (err == ERR_OK)
        return;
    buf_clear(&call->out);
    api_store_problem(call, err);
}

void api_end_backup(struct api_call *call)
{
    if (!has_backups(call))
        return;
    enum err err = backup_end(api_backup(call->api), call->parts[0]);
    if (err == ERR_OK)
        buf_text(&call->out, "{\"ended\":true}");
    else
        api_store_problem(call, err);
}

/*
 * A pack of a device that has no connection of its own, such as a file of a logger: it
 * goes into the journal under its topic and from there the way of every pack.
 */
void api_take_pack(struct api_call *call)
{
    struct topic topic;
    const char *epoch = api_param(call, "epoch");
    const char *seq = api_param(call, "seq");
    char *name =
        mem_format("coldchain/v1/%s/%s/readings/%s/%s", call->parts[0], call->parts[1],
                   epoch != NULL ? epoch : "", seq != NULL ? seq : "");
    if (topic_parse(&topic, name, strlen(name)) != ERR_OK)
        api_refuse(call, PROBLEM_PARAMETER_NOT_A_NAME, "name", "epoch", NULL);
    else if (call->body.len == 0)
        api_refuse(call, PROBLEM_BODY_NOT_UNDERSTOOD, "example",
                   "[{\"n\":\"air_temperature\",\"u\":\"Cel\",\"t\":1795420800,\"v\":4}]",
                   NULL);
    else if (api_publish(call->api, name, call->body.data, call->body.len) != ERR_OK)
        api_refuse(call, PROBLEM_STORE_FAILED, "error", "no space", NULL);
    else
        buf_text(&call->out, "{\"stored\":true}");
    free(name);
}
