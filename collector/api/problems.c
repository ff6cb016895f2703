// SPDX-License-Identifier: Apache-2.0
#include "collector/api/problems.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

static const struct problem_entry entries[] = {
    [PROBLEM_PARAMETER_UNKNOWN] =
        {"parameter-unknown",
         400,
         {{"the question is not clear",
           "'{name}' is not known here; this address takes: {known}"},
          {"无法理解该请求", "此地址没有参数“{name}”；可用的参数：{known}"}}},
    [PROBLEM_PARAMETER_TWICE] =
        {"parameter-twice",
         400,
         {{"the question is not clear", "'{name}' stands twice; give it once"},
          {"无法理解该请求", "参数“{name}”出现了两次；请只给一次"}}},
    [PROBLEM_PARAMETER_EMPTY] =
        {"parameter-empty",
         400,
         {{"the question is not clear",
           "'{name}' has no value; write {name}=VALUE or leave it out"},
          {"无法理解该请求", "参数“{name}”没有值；请写成 {name}=值，或去掉它"}}},
    [PROBLEM_PARAMETER_NOT_A_TIME] =
        {"parameter-not-a-time",
         400,
         {{"the question is not clear",
           "'{name}' is not a time: use 2026-11-23T08:00:00Z "
           "or milliseconds since 1970"},
          {"无法理解该请求",
           "“{name}”不是时间；请使用 2026-11-23T08:00:00Z 或 1970 年以来的毫秒数"}}},
    [PROBLEM_PARAMETER_NOT_A_NUMBER] =
        {"parameter-not-a-number",
         400,
         {{"the question is not clear", "'{name}' is a number from {least} to {most}"},
          {"无法理解该请求", "“{name}”应为 {least} 到 {most} 之间的整数"}}},
    [PROBLEM_PARAMETER_NOT_A_CHOICE] =
        {"parameter-not-a-choice",
         400,
         {{"the question is not clear", "'{name}' is one of: {choices}"},
          {"无法理解该请求", "“{name}”只能是：{choices}"}}},
    [PROBLEM_PARAMETER_NOT_A_NAME] =
        {"parameter-not-a-name",
         400,
         {{"the question is not clear", "'{name}' is not a name as names are here; see "
                                        "'Names' in docs/api.md"},
          {"无法理解该请求", "“{name}”不是合法的名称；见 docs/api.md 的 Names 一段"}}},
    [PROBLEM_PARAMETER_NOT_A_CURSOR] =
        {"parameter-not-a-cursor",
         400,
         {{"the question is not clear",
           "'{name}' is what 'next' of the page before said, unchanged"},
          {"无法理解该请求", "“{name}”须原样取自上一页的 next"}}},
    [PROBLEM_TOO_MANY_CHANNELS] =
        {"too-many-channels",
         400,
         {{"the question is too wide",
           "there are very many channels: name one with 'channel', or ask for fewer "
           "'buckets'"},
          {"请求的范围太大", "通道太多；请用 channel 指定一个，或减少 buckets"}}},
    [PROBLEM_ADDRESS_AMBIGUOUS] =
        {"address-ambiguous",
         400,
         {{"the request is ambiguous",
           "the address holds what reads in two ways; write it without %00 and %2F"},
          {"请求有歧义", "地址可以有两种读法；请不要使用 %00 和 %2F"}}},
    [PROBLEM_HEADER_AMBIGUOUS] =
        {"header-ambiguous",
         400,
         {{"the request is ambiguous",
           "a header that may stand once stands twice; send it once"},
          {"请求有歧义", "只能出现一次的请求头出现了两次；请只发送一次"}}},
    [PROBLEM_BODY_NOT_UNDERSTOOD] =
        {"body-not-understood",
         400,
         {{"the body is not understood", "send nothing, or JSON such as {example}"},
          {"无法理解请求正文", "请不带正文，或发送 JSON，例如 {example}"}}},
    [PROBLEM_BODY_TOO_LARGE] = {"body-too-large",
                                413,
                                {{"the body is too large",
                                  "at most 64 KiB are taken; send less at once"},
                                 {"请求正文太大", "最多 64 KiB；请分几次发送"}}},
    [PROBLEM_METHOD_NOT_ALLOWED] =
        {"method-not-allowed",
         405,
         {{"method not allowed",
           "this address takes another method: see the header Allow, and docs/api.md"},
          {"不支持此方法", "此地址使用其他方法：见响应头 Allow 和 docs/api.md"}}},
    [PROBLEM_ADDRESS_UNKNOWN] = {"address-unknown",
                                 404,
                                 {{"not found",
                                   "there is nothing at this address; see docs/api.md"},
                                  {"未找到", "此地址没有内容；见 docs/api.md"}}},
    [PROBLEM_TOKEN_NEEDED] =
        {"token-needed",
         401,
         {{"a token is needed",
           "sign in, or send 'Authorization: Bearer TOKEN'; the first "
           "start left one in the token file that the collector's log "
           "names"},
          {"需要令牌", "请登录，或发送“Authorization: Bearer 令牌”；首次启动生成的令牌"
                       "在采集器日志所指的文件里"}}},
    [PROBLEM_ROLE_NOT_ALLOWED] =
        {"role-not-allowed",
         403,
         {{"not allowed",
           "your role does not take this; docs/authorization.md says which "
           "does; ask an admin"},
          {"没有权限", "您的角色不能这样做；docs/authorization.md 列出可以的角色，"
                       "请联系管理员"}}},
    [PROBLEM_FOREIGN_PAGE] =
        {"foreign-page",
         403,
         {{"this came from another page",
           "a change under a session carries the header X-CSRF-Token with the word that "
           "signing in gave, and an Origin that is this address"},
          {"请求来自其他页面",
           "登录会话中的更改须带请求头 X-CSRF-Token（登录时给出的值），"
           "且 Origin 须为本地址"}}},
    [PROBLEM_TOO_MANY_ATTEMPTS] =
        {"too-many-attempts",
         429,
         {{"too many attempts",
           "wait as long as Retry-After says, then try once more; an admin can set a new "
           "password"},
          {"尝试次数过多", "请等待 Retry-After 所示的秒数后再试；管理员可以重设密码"}}},
    [PROBLEM_REPLY_NOT_SIGNED] =
        {"reply-not-signed",
         401,
         {{"not signed",
           "an answer names a channel with a reply_secret, its X-Coldchain-Timestamp is "
           "at most 5 minutes from now, and its X-Coldchain-Signature is sha256= and the "
           "HMAC of timestamp, '.', body; see docs/alarms.md"},
          {"签名无效", "需要指定配置了 reply_secret 的渠道；X-Coldchain-Timestamp "
                       "与当前时间相差不超过 5 分钟；X-Coldchain-Signature 为 sha256= "
                       "加上“时间戳.正文”的 HMAC；见 docs/alarms.md"}}},
    [PROBLEM_NOT_SIGNED_IN] =
        {"not-signed-in",
         401,
         {{"not signed in",
           "the name or the password is wrong; check both and try again"},
          {"登录失败", "登录名或密码错误；请检查后重试"}}},
    [PROBLEM_ADMIN_REFUSED] = {"admin-refused",
                               422,
                               {{"the admin was not made", "{why}"},
                                {"未能创建管理员", "{why}（请改正后重试）"}}},
    [PROBLEM_LOGIN_TAKEN] = {"login-taken",
                             409,
                             {{"the admin was not made", "{why}"},
                              {"未能创建管理员", "{why}（请换一个登录名）"}}},
    [PROBLEM_ADMIN_NOT_KEPT] = {"admin-not-kept",
                                503,
                                {{"the admin was not made", "{why}"},
                                 {"未能创建管理员", "{why}（请稍后重试）"}}},
    [PROBLEM_NOT_FOUND] =
        {"not-found",
         404,
         {{"not found",
           "there is nothing of that name, or not for you; lists such as /api/v1/zones show what there is"},
          {"未找到",
           "没有这个名称的内容，或对您不可见；可在 /api/v1/zones 等列表中查找"}}},
    [PROBLEM_COMMAND_NOT_FOUND] =
        {"command-not-found",
         404,
         {{"not found", "{why}; lists such as /api/v1/entities/zone show what there is"},
          {"未找到", "{why}；可在 /api/v1/entities/zone 等列表中查找"}}},
    [PROBLEM_COMMAND_DENIED] =
        {"command-denied",
         403,
         {{"not allowed", "{why}; ask an admin, docs/commands.md says who may what"},
          {"不允许", "{why}；请联系管理员"}}},
    [PROBLEM_CONDITION_NOT_UNDERSTOOD] =
        {"condition-not-understood",
         400,
         {{"the condition is not understood",
           "send If-Match with what ETag said, such as \"3\""},
          {"无法理解条件", "If-Match 请填写 ETag 的值，例如 \"3\""}}},
    [PROBLEM_NAMES_DIFFER] =
        {"names-differ",
         400,
         {{"the body is not understood",
           "the address and the body name different things; leave '{name}' out of the body"},
          {"无法理解请求内容", "地址与内容所指不同；请从内容中去掉 '{name}'"}}},
    [PROBLEM_VALUE_REFUSED] = {"value-refused",
                               422,
                               {{"that is not taken", "{why}; mend it and send it again"},
                                {"不接受该内容", "{why}；请改正后重发"}}},
    [PROBLEM_COMMAND_INVALID] = {"command-invalid",
                                 400,
                                 {{"the change is not possible",
                                   "{why}; mend it and send it again"},
                                  {"无法更改", "{why}；请改正后重发"}}},
    [PROBLEM_KEY_NOT_UNDERSTOOD] =
        {"idempotency-key-not-understood",
         400,
         {{"the key is not understood",
           "an Idempotency-Key has 1 to 255 characters, the same for each try of one "
           "change"},
          {"无法理解该键",
           "Idempotency-Key 须为 1 到 255 个字符，同一更改每次重试保持不变"}}},
    [PROBLEM_KEY_REUSED] =
        {"idempotency-key-reused",
         422,
         {{"the key was used before",
           "this Idempotency-Key was used for another change; draw a new one for each "
           "change, and keep it when you try again"},
          {"该键已被使用",
           "此 Idempotency-Key 已用于另一项更改；每项更改请使用新键，重试时保持不变"}}},
    [PROBLEM_KEY_UNDER_WAY] =
        {"idempotency-key-under-way",
         409,
         {{"the change is being made",
           "the request that came first with this Idempotency-Key is not answered yet; "
           "wait, then send it again"},
          {"更改正在进行", "使用此 Idempotency-Key 的前一个请求尚未完成；请稍候重发"}}},
    [PROBLEM_COMMAND_CONFLICT] =
        {"command-conflict",
         409,
         {{"somebody was first", "{why}; look at the present state before you repeat it"},
          {"已有人先行更改", "{why}；请先查看当前状态再重试"}}},
    [PROBLEM_COMMAND_NOT_APPLIED] =
        {"command-not-applied",
         504,
         {{"the change is not confirmed", "it was not applied in time, and may still be; "
                                          "look again before repeating"},
          {"更改尚未确认", "未能及时生效，但仍可能生效；重试前请先查看"}}},
    [PROBLEM_COMMAND_FAILED] = {"command-failed",
                                500,
                                {{"the change failed",
                                  "{why}; the collector's log says more"},
                                 {"更改失败", "{why}；详见采集器日志"}}},
    [PROBLEM_BUSY] = {"busy",
                      503,
                      {{"the collector is busy",
                        "it did not answer in time; try again in a few seconds"},
                       {"采集器繁忙", "未能及时应答；请几秒后重试"}}},
    [PROBLEM_TOO_MANY_STREAMS] =
        {"too-many-streams",
         503,
         {{"too many streams are open",
           "at most {most} streams are served at a time, and half of them to one caller: "
           "close those that nobody looks at, or raise 'api.streams'"},
          {"打开的实时流太多",
           "同时最多提供 {most} 个实时流，同一调用者最多占一半；请关闭无人查看的页面，"
           "或调大 api.streams"}}},
    [PROBLEM_NOT_READY] =
        {"not-ready",
         503,
         {{"not ready",
           "catching up with the journal; 'evaluated' in /api/v1/status says "
           "how far it is"},
          {"尚未就绪", "正在处理日志中的积压；进度见 /api/v1/status 的 evaluated"}}},
    [PROBLEM_BROKER_NOT_REACHED] =
        {"broker-not-reached",
         503,
         {{"not ready",
           "the broker is not reached: see whether it runs, and mqtt.* in the "
           "configuration"},
          {"尚未就绪", "连接不上 MQTT 服务器：请检查它是否在运行，以及配置中的 mqtt.*"}}},
    [PROBLEM_HISTORY_STOPPED] = {"history-stopped",
                                 503,
                                 {{"not ready", "the history cannot be written: {why}"},
                                  {"尚未就绪", "无法写入历史数据：{why}"}}},
    [PROBLEM_ANSWER_TAKES_TOO_LONG] =
        {"answer-takes-too-long",
         503,
         {{"the answer takes too long", "ask for a shorter time or for one channel"},
          {"查询耗时过长", "请缩短时间范围，或只查一个通道"}}},
    [PROBLEM_STORE_BUSY] = {"store-busy",
                            503,
                            {{"the store is busy",
                              "it answered {error}; try again in a few seconds"},
                             {"存储繁忙", "返回 {error}；请几秒后重试"}}},
    [PROBLEM_STORE_FAILED] =
        {"store-failed",
         500,
         {{"the store cannot be read",
           "it answered {error}; look at the disk and the collector's log"},
          {"无法读取存储", "返回 {error}；请检查磁盘和采集器日志"}}},
    [PROBLEM_BACKUP_BUSY] = {"backup-busy",
                             503,
                             {{"another backup is under way",
                               "it is being fetched; try again in a minute"},
                              {"另一个备份正在进行", "正在读取该备份；请一分钟后重试"}}},
    [PROBLEM_BACKUP_FAILED] = {"backup-failed",
                               500,
                               {{"no backup can be made",
                                 "{why}; look at the disk of the data folder"},
                                {"无法备份", "{why}；请检查数据目录所在的磁盘"}}},
};

static_assert(sizeof entries / sizeof entries[0] == PROBLEM_COUNT,
              "every problem has its entry");

const struct problem_entry *problem_entry(enum problem problem)
{
    assert(problem < PROBLEM_COUNT && entries[problem].code != NULL);
    return &entries[problem];
}

static const char *place_value(const struct problem_place *places, size_t count,
                               const char *name, size_t len)
{
    for (size_t i = 0; i < count; i++)
        if (strlen(places[i].name) == len && memcmp(places[i].name, name, len) == 0)
            return places[i].value;
    return NULL;
}

void problem_fill(struct buf *out, const char *text, const struct problem_place *places,
                  size_t count)
{
    while (*text != '\0') {
        size_t plain = strcspn(text, "{");
        buf_add(out, text, plain);
        text += plain;
        size_t len = strcspn(text, "}");
        if (text[len] == '\0') { /* no place any more */
            buf_add(out, text, len);
            return;
        }
        const char *value = place_value(places, count, text + 1, len - 1);
        if (value != NULL)
            buf_text(out, value);
        else
            buf_add(out, text, len + 1);
        text += len + 1;
    }
}

const char *problem_language_tag(enum problem_language language)
{
    return language == PROBLEM_ZH ? "zh-CN" : "en";
}

/* "q=0.8" as thousands; what is not understood counts as not wanted. */
static int quality_of(const char *range, size_t len)
{
    const char *at = memchr(range, ';', len);
    if (at == NULL)
        return 1000;
    at += 1 + strspn(at + 1, " \t");
    if (strncasecmp(at, "q=", 2) != 0)
        return 0;
    double quality = strtod(at + 2, NULL);
    return quality >= 0 && quality <= 1 ? (int)(quality * 1000) : 0;
}

/* Whether the range names that language: "zh", "zh-Hans-CN", but not "zhx". */
static bool is_language(const char *range, const char *tag)
{
    return strncasecmp(range, tag, 2) == 0 && strchr("-;, \t", range[2]) != NULL;
}

enum problem_language problem_language_of(const char *accept)
{
    int best_zh = 0;
    int best_en = 0;
    while (accept != NULL && *accept != '\0') {
        accept += strspn(accept, " \t,");
        size_t len = strcspn(accept, ",");
        int quality = quality_of(accept, len);
        if (is_language(accept, "zh"))
            best_zh = quality > best_zh ? quality : best_zh;
        else if (is_language(accept, "en"))
            best_en = quality > best_en ? quality : best_en;
        accept += len;
    }
    return best_zh > best_en ? PROBLEM_ZH : PROBLEM_EN;
}
