// SPDX-License-Identifier: Apache-2.0
/*
 * ack - the page behind a message's link: one tap, and whoever was told has taken it.
 *
 * GET shows what it is about and a button; only POST acknowledges, for whatever fetches
 * previews of links fetches with GET. The token is all that is asked for: it names the
 * contact that the message went to, and that one is the command's actor.
 */
#include <stdio.h>
#include <string.h>

#include "base/utf8.h"
#include "collector/api/changes.h"
#include "collector/api/identity.h"
#include "collector/api/internal.h"
#include "collector/api/routes.h"
#include "collector/notify/ack_link.h"
#include "collector/roster.h"

#define PART_MAX 1000
#define TITLE    "确认报警 <span lang=\"en\">Acknowledge</span>"

static void say(struct api_call *call, unsigned status, const char *alert)
{
    api_page(call, TITLE, "", alert);
    call->status = status;
}

/* False, and the page says so, when the link is none or its time is over. */
static bool read_claim(struct api_call *call, struct ack_claim *claim)
{
    const struct ack_links *links = api_options_of(call->api)->links;
    const char *token = api_param(call, "t");
    enum err err = links == NULL || token == NULL
                       ? ERR_INVALID
                       : ack_token_parse(claim, token, links->key, api_now_ms(call->api));
    if (err == ERR_OK)
        return true;
    say(call, MHD_HTTP_NOT_FOUND,
        err == ERR_DENIED
            ? "此链接已过期，请用较新的消息，或 coldchainctl incidents ack。<span lang=\"en\">"
              "This link has expired: take a newer message, or coldchainctl incidents "
              "ack.</span>"
            : "此链接无效。<span lang=\"en\">This is no link of ours; was it cut off?"
              "</span>");
    return false;
}

static bool read_incident(struct api_call *call, const struct ack_claim *claim,
                          struct incident *incident)
{
    if (state_get_incident(call->stores->state, claim->incident, incident) == ERR_OK)
        return true;
    say(call, MHD_HTTP_NOT_FOUND,
        "事件已不存在。<span lang=\"en\">There is no such incident any more.</span>");
    return false;
}

static void put_escaped(struct buf *out, const char *text)
{
    for (; *text != '\0'; text++) {
        if (*text == '<' || *text == '>' || *text == '&' || *text == '"')
            buf_format(out, "&#%d;", *text);
        else
            buf_add(out, text, 1);
    }
}

/* What people were told last, in both languages: what matters at once, and all of it. */
struct told {
    struct buf head;
    struct buf whole;
};

static void put_part(struct buf *out, const char *text, size_t len)
{
    char part[PART_MAX + 1];
    len = utf8_fit(text, len, PART_MAX);
    memcpy(part, text, len);
    part[len] = '\0';
    put_escaped(out, part);
}

static void put_text(struct buf *out, const char *attributes, const char *text)
{
    buf_format(out, "<p%s>", attributes);
    put_escaped(out, text);
    buf_text(out, "</p>");
}

/* Up to where that is, or all of it. */
static size_t length_to(const char *text, const char *end)
{
    const char *at = strstr(text, end);
    return at != NULL ? (size_t)(at - text) : strlen(text);
}

static const char *behind(const char *text, const char *mark)
{
    const char *at = strstr(text, mark);
    return at != NULL ? at + strlen(mark) : text;
}

/*
 * The place, which both languages have in common, then what is wrong in each: value,
 * limit and since when. Each of them has so many lines and no more, so that a long name
 * pushes neither the value nor the button off a small screen. What to do comes behind.
 */
static void put_head(struct buf *out, const char *zh, const char *en)
{
    const char *what_zh = behind(zh, "：");
    const char *what_en = behind(en, ": ");
    buf_text(out, "<p class=\"place\">");
    put_part(out, zh, length_to(zh, "："));
    buf_text(out, "</p><p class=\"head\">");
    put_part(out, what_zh, length_to(what_zh, "。"));
    buf_text(out, "</p><p class=\"head\" lang=\"en\">");
    if (en[0] == '[')
        put_part(out, en, (size_t)(behind(en, "] ") - en));
    put_part(out, what_en, length_to(what_en, ". "));
    buf_text(out, "</p>");
}

/* Transitions of which nobody was told say it as well. */
static void on_transition(void *context, const struct state_transition *step)
{
    struct told *told = context;
    json_t *body = json_loads(step->body, 0, NULL);
    const char *zh = json_string_value(json_object_get(body, "text_zh"));
    const char *en = json_string_value(json_object_get(body, "text_en"));
    if (zh != NULL && en != NULL) {
        buf_clear(&told->head);
        buf_clear(&told->whole);
        put_head(&told->head, zh, en);
        put_text(&told->whole, "", zh);
        put_text(&told->whole, " lang=\"en\"", en);
    }
    json_decref(body);
}

/*
 * On 360 px by 640 what it is about and `middle` are seen without scrolling, however long
 * the message is: a button that nobody sees at three in the morning is none.
 */
static void incident_page(struct api_call *call, const struct incident *incident,
                          const char *middle)
{
    struct told told = {0};
    struct buf body = {0};
    if (state_each_transition(call->stores->state, incident->id, &told, on_transition) !=
        ERR_OK) {
        /* Then the id alone has to do. */
    }
    buf_add(&body, told.head.data, told.head.len);
    buf_text(&body, middle);
    buf_add(&body, told.whole.data, told.whole.len);
    buf_format(&body, "<p><small>%s</small></p>", incident->id);
    api_page(call, TITLE, body.data, NULL);
    buf_fini(&told.head);
    buf_fini(&told.whole);
    buf_fini(&body);
}

static void page_done(struct api_call *call, const struct incident *incident,
                      const char *words)
{
    char middle[4 * ID_SIZE + 200];
    snprintf(middle, sizeof middle, "<p role=\"status\">%s</p>", words);
    incident_page(call, incident, middle);
}

static void page_taken(struct api_call *call, const struct incident *incident)
{
    char words[3 * ID_SIZE + 200];
    snprintf(words, sizeof words,
             "已由 %s 确认。<span lang=\"en\">%s acknowledged it first.</span>",
             incident->acknowledged_by, incident->acknowledged_by);
    page_done(call, incident, words);
}

void api_get_ack(struct api_call *call)
{
    struct ack_claim claim;
    struct incident incident;
    if (!read_claim(call, &claim) || !read_incident(call, &claim, &incident))
        return;
    if (incident.is_acknowledged) {
        page_taken(call, &incident);
        return;
    }
    incident_page(call, &incident,
                  "<form method=\"post\"><button type=\"submit\">我来处理 "
                  "<span lang=\"en\">I take it</span></button></form>");
}

/* The person of the contact, or the contact itself; of a channel's readers, the link. */
static void name_actor(const struct api_call *call, const struct ack_claim *claim,
                       char actor[ID_SIZE])
{
    const struct roster *roster = api_options_of(call->api)->roster;
    const char *person = roster != NULL ? roster_person(roster, claim->contact) : NULL;
    if (person != NULL)
        snprintf(actor, ID_SIZE, "%s", person);
    else
        snprintf(actor, ID_SIZE, "%.*s", ID_MAX,
                 claim->contact[0] != '\0' ? claim->contact : "link");
}

void api_acknowledge_by_link(struct api_call *call)
{
    struct ack_claim claim;
    struct incident incident;
    struct err_text why = {0};
    json_t *result = NULL;
    char via[ID_SIZE + 8];
    if (!read_claim(call, &claim))
        return;
    name_actor(call, &claim, call->principal.id);
    snprintf(via, sizeof via, "link/%s", claim.contact);
    json_t *body = json_pack("{s:s}", "id", claim.incident);
    struct api_wish wish = {.verb = "incident.acknowledge",
                            .body = body,
                            .reason = "by the link of a message",
                            .via = via,
                            .if_version = COMMAND_ANY};
    api_draw_id(call, &wish);
    enum err err = api_apply(call, &wish, &result, &why);
    json_decref(result);
    json_decref(body);
    if (err == ERR_OK && read_incident(call, &claim, &incident))
        page_done(call, &incident,
                  "已确认，谢谢。<span lang=\"en\">It is yours. Thank you.</span>");
    else if (err == ERR_EXISTS && read_incident(call, &claim, &incident))
        page_taken(call, &incident);
    else if (err != ERR_OK && err != ERR_EXISTS)
        say(call,
            err == ERR_NOT_FOUND ? MHD_HTTP_NOT_FOUND : MHD_HTTP_SERVICE_UNAVAILABLE,
            "暂时无法确认，请重试。<span lang=\"en\">It cannot be acknowledged just now; try "
            "again.</span>");
}
