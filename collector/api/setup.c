// SPDX-License-Identifier: Apache-2.0
/*
 * setup - the page behind the first start's link, which makes the first admin.
 *
 * It needs no script and nothing from elsewhere; it reads on 360 px in Chinese and
 * English. Programs may send JSON instead of the form.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/crypto.h"
#include "base/mem.h"
#include "collector/access/password.h"
#include "collector/api/changes.h"
#include "collector/api/form.h"
#include "collector/api/internal.h"
#include "collector/api/login.h"
#include "collector/api/routes.h"

#define LOGIN_MAX  64
#define NAME_BYTES 100 /* bytes */

static const char style[] =
    "body{font:18px/1.5 system-ui,'Noto Sans CJK SC',sans-serif;margin:0;background:#f4f6f8;"
    "color:#14212b}main{max-width:26em;margin:0 auto;padding:16px;box-sizing:border-box}"
    "header{color:#3d4c58;font-weight:600}h1{font-size:1.3em;margin:4px 0 16px}"
    "[lang=en]{display:inline-block}h1 [lang=en],small [lang=en],p [lang=en]{display:block}"
    "label{display:block;margin:16px 0 4px;font-weight:600}"
    "input,button{font:inherit;width:100%;box-sizing:border-box;padding:10px;"
    "border:1px solid #5b6b78;border-radius:6px;min-height:48px}"
    "button{margin-top:24px;background:#0b5394;color:#fff;border-color:#0b5394}"
    "input:focus,button:focus{outline:3px solid #d97706}"
    "small{display:block;margin-top:4px;color:#3d4c58}"
    ".place,.head{display:-webkit-box!important;-webkit-box-orient:vertical;"
    "-webkit-line-clamp:2;overflow:hidden;overflow-wrap:anywhere;margin:8px 0}"
    ".head{-webkit-line-clamp:4;font-weight:600}"
    "[role=status]{background:#e3f4e8;border-left:6px solid #14713d;padding:8px 12px}"
    "[role=alert]{background:#fde8e8;border-left:6px solid #9b1c1c;padding:8px 12px}";

/* In three parts: what was given stands between them. */
static const char form_login[] =
    "<form method=\"post\">"
    "<label for=\"login\">登录名 <span lang=\"en\">Sign-in name</span></label>"
    "<input id=\"login\" name=\"login\" required maxlength=\"64\" "
    "autocomplete=\"username\" autocapitalize=\"none\" spellcheck=\"false\" value=\"";

static const char form_name[] =
    "\">"
    "<label for=\"name\">姓名 <span lang=\"en\">Your name</span></label>"
    "<input id=\"name\" name=\"name\" maxlength=\"30\" autocomplete=\"name\" value=\"";

static const char form_rest[] =
    "\">"
    "<label for=\"password\">密码 <span lang=\"en\">Password</span></label>"
    "<input id=\"password\" name=\"password\" type=\"password\" required minlength=\"10\" "
    "autocomplete=\"new-password\" aria-describedby=\"hint\">"
    "<small id=\"hint\">至少 10 个字符；几个不相干的词最好。"
    "<span lang=\"en\">At least 10 characters; a few unrelated words are best.</span></small>"
    "<label for=\"again\">再输一次密码 <span lang=\"en\">Password again</span></label>"
    "<input id=\"again\" name=\"again\" type=\"password\" required minlength=\"10\" "
    "autocomplete=\"new-password\">"
    "<button type=\"submit\">创建管理员 <span lang=\"en\">Create the admin</span></button>"
    "</form>";

void api_page(struct api_call *call, const char *title, const char *body,
              const char *alert)
{
    uint8_t random[16];
    crypto_random(random, sizeof random);
    call->nonce = crypto_hex(call->nonce_text, random, sizeof random);
    buf_clear(&call->out);
    buf_format(&call->out,
               "<!doctype html><html lang=\"zh-CN\"><head><meta charset=\"utf-8\">"
               "<meta name=\"viewport\" content=\"width=device-width,initial-scale=1\">"
               "<title>coldchain</title><style nonce=\"%s\">%s</style></head><body><main>"
               "<header>coldchain</header><h1>%s</h1>",
               call->nonce, style, title);
    if (alert != NULL)
        buf_format(&call->out, "<p role=\"alert\">%s</p>", alert);
    buf_format(&call->out, "%s</main></body></html>", body);
    call->content_type = "text/html; charset=utf-8";
}

static void page(struct api_call *call, const char *body, const char *alert)
{
    api_page(call, "设置第一个管理员 <span lang=\"en\">Set up the first admin</span>",
             body, alert);
}

static const char spent[] =
    "此链接已使用或已过期。重新启动采集程序，日志会给出新链接。<span lang=\"en\">This "
    "link was used or has expired. Start the collector again: while nobody can sign in, "
    "its log names a new one.</span>";

static void answer_spent(struct api_call *call)
{
    page(call, "", spent);
    call->status = MHD_HTTP_NOT_FOUND;
}

/* Of a text of somebody's, in an attribute. */
static void add_escaped(struct buf *out, const char *text)
{
    for (; text != NULL && *text != '\0'; text++) {
        if (strchr("&<>\"'", *text) != NULL)
            buf_format(out, "&#%d;", *text);
        else
            buf_add(out, text, 1);
    }
}

/* With what was given before, but the passwords; `fields` may be NULL. */
static void form_page(struct api_call *call, const json_t *fields, const char *alert)
{
    struct buf body = {0};
    buf_text(&body, form_login);
    add_escaped(&body, api_text(fields, "login"));
    buf_text(&body, form_name);
    add_escaped(&body, api_text(fields, "name"));
    buf_text(&body, form_rest);
    page(call, body.data, alert);
    buf_fini(&body);
}

void api_get_setup(struct api_call *call)
{
    if (call->principal.kind == PRINCIPAL_SETUP)
        form_page(call, NULL, NULL);
    else
        answer_spent(call);
}

static const char *wrong_field(const json_t *fields, const char *login,
                               const char *password, struct err_text *why)
{
    struct err_text inner;
    const char *again = api_text(fields, "again");
    const char *name = api_text(fields, "name");
    if (login == NULL || password == NULL || login[0] == '\0' ||
        strlen(login) > LOGIN_MAX || strpbrk(login, " \t\r\n") != NULL)
        return "登录名和密码必须填写，登录名不含空格。 A sign-in name without spaces (at "
               "most 64 bytes) and a password are needed.";
    if (name != NULL && strlen(name) > NAME_BYTES)
        return "姓名太长。 The name is too long.";
    if (again != NULL && strcmp(again, password) != 0)
        return "两次输入的密码不同。 The two passwords differ.";
    if (password_check(password, login, &inner) == ERR_OK)
        return NULL;
    err_set(why, ERR_INVALID,
            "密码不合要求：至少 10 个字符，不能是常见密码，不能包含登录名。 %.200s",
            inner.text);
    return why->text;
}

/* ERR_OK with the admin's id; or answers the call and returns DENIED. */
static enum err make_admin(struct api_call *call, const json_t *fields, char id[ID_SIZE])
{
    struct err_text why;
    json_t *result = NULL;
    struct api_wish wish = {.verb = "person.first", .if_version = COMMAND_ANY};
    json_t *body = json_pack("{s:s, s:O, s:O}", "link", call->principal.id, "login",
                             json_object_get(fields, "login"), "password",
                             json_object_get(fields, "password"));
    if (json_object_get(fields, "name") != NULL)
        json_object_set(body, "name", json_object_get(fields, "name"));
    enum err err = ERR_DENIED;
    if (api_hide(call, &wish, body))
        err = api_apply(call, &wish, &result, &why);
    const char *made = api_text(result, "id");
    snprintf(id, ID_SIZE, "%.*s", ID_MAX, made != NULL ? made : "");
    json_decref(wish.hidden);
    json_decref(result);
    json_decref(body);
    return err;
}

static void answer_made(struct api_call *call, bool is_form, const char *id)
{
    if (is_form)
        page(call,
             "<p>管理员已创建，现在可以登录。<span lang=\"en\">The admin was created and "
             "can sign in now.</span></p>",
             NULL);
    else
        api_dump(call, json_pack("{s:s, s:s}", "id", id, "role", "admin"));
}

static void answer_wrong(struct api_call *call, bool is_form, const json_t *fields,
                         unsigned status, const char *text)
{
    if (is_form) {
        form_page(call, fields, text);
        call->status = status;
    } else {
        enum problem problem = status == MHD_HTTP_CONFLICT ? PROBLEM_LOGIN_TAKEN
                               : status == MHD_HTTP_SERVICE_UNAVAILABLE
                                   ? PROBLEM_ADMIN_NOT_KEPT
                                   : PROBLEM_ADMIN_REFUSED;
        api_refuse(call, problem, "why", text, NULL);
    }
}

static void set_up(struct api_call *call, bool is_form, const json_t *fields)
{
    char id[ID_SIZE];
    struct err_text why = {0};
    const char *login = api_text(fields, "login");
    const char *password = api_text(fields, "password");
    const char *wrong = wrong_field(fields, login, password, &why);
    if (wrong != NULL) {
        answer_wrong(call, is_form, fields, MHD_HTTP_UNPROCESSABLE_CONTENT, wrong);
        return;
    }
    switch ((int)make_admin(call, fields, id)) {
    case ERR_OK:
        answer_made(call, is_form, id);
        break;
    case ERR_DENIED:
        break;
    case ERR_NOT_FOUND:
        answer_spent(call);
        break;
    case ERR_EXISTS:
        answer_wrong(call, is_form, fields, MHD_HTTP_CONFLICT,
                     "此登录名已被使用。 Somebody has that sign-in name; take another.");
        break;
    default:
        answer_wrong(call, is_form, fields, MHD_HTTP_SERVICE_UNAVAILABLE,
                     "暂时无法保存，请重试。 It cannot be kept just now; try again.");
        break;
    }
}

void api_set_up(struct api_call *call)
{
    const char *type = MHD_lookup_connection_value(call->connection, MHD_HEADER_KIND,
                                                   MHD_HTTP_HEADER_CONTENT_TYPE);
    static const char form_type[] = "application/x-www-form-urlencoded";
    bool is_form =
        type != NULL && strncasecmp(type, form_type, sizeof form_type - 1) == 0;
    if (call->principal.kind != PRINCIPAL_SETUP) {
        answer_spent(call);
        return;
    }
    json_t *fields = is_form ? form_parse(call->body.data != NULL ? call->body.data : "",
                                          call->body.len)
                             : api_object(call);
    if (fields != NULL)
        set_up(call, is_form, fields);
    else if (is_form)
        answer_wrong(call, true, NULL, MHD_HTTP_BAD_REQUEST,
                     "表单无法识别。 The form is not understood.");
    json_decref(fields);
}
