// SPDX-License-Identifier: Apache-2.0
#include "collector/notify/message_trouble.h"

#include <assert.h>

#define KINDS (ALERT_CLOCK_WRONG - ALERT_FORK + 1)

struct words {
    const char *what; /* follows the device's name */
    const char *remedy;
};

/* By language, then by kind from ALERT_FORK on; the rules' kinds in between have none. */
static const struct words all_words[2][KINDS] = {
    {
        [0] = /* ALERT_FORK */
        {"two devices send different readings under this one name: a card was "
         "copied, or a backup was put back beside the original. Both were told to "
         "begin anew, and the readings set aside are kept in the quarantine",
         "find the second device and give it a name of its own (new configuration, "
         "empty journal folder)"},
        [ALERT_TWINS - ALERT_FORK] =
            {"two devices take turns under this one name, so readings of two places are "
             "mixed and alarms may be missed",
             "find the second device and give it a name of its own (new configuration, "
             "empty journal folder)"},
        [ALERT_REGRESSED - ALERT_FORK] =
            {"the device holds less than it has sent: its disk was restored from an "
             "older copy, or lost what it had written",
             "check the device's disk or card and replace it when it is worn; what is "
             "in the collector is safe"},
        [ALERT_LOST_PACKS - ALERT_FORK] =
            {"packs of readings are lost and will never come",
             "look at the history for the gap; check the device's disk, its free space, "
             "and how long it was off the network"},
        [ALERT_JOURNAL_DAMAGE - ALERT_FORK] =
            {"the collector's journal was damaged on disk; every sound record was kept, "
             "the damaged ones are lost",
             "run: coldchainctl journal verify; look at the kernel's log, and replace "
             "the disk before it takes more"},
        [ALERT_POISON - ALERT_FORK] =
            {"a message crashed the collector twice and was passed over; it is kept in "
             "the quarantine, and nobody judged what it says",
             "report it with the bytes that 'coldchainctl quarantine' shows; check the "
             "rooms of that time yourself"},
        [ALERT_ALARM_PATH - ALERT_FORK] =
            {"messages do not get through over this channel, so alarms may reach nobody "
             "there; it is tried on, and what has another way goes that way",
             "look at its last result ('coldchainctl doctor'), its address and "
             "credentials, and the network; until then have somebody watch the rooms"},
        [ALERT_CLOCK_WRONG - ALERT_FORK] =
            {"the device's clock is wrong: it dates readings into the future, went back, or "
             "was not set for an hour, so alarms may come at wrong times or not at all",
             "check the device's time server (NTP), its network and the battery of its "
             "clock; when several devices are told of, check the collector's clock"},
    },
    {
        [0] = /* ALERT_FORK */
        {"有两台设备用同一名称发送不同的数据：存储卡被复制，或备份与原机同时在用。"
         "已令两台重新开始，被隔离的数据保留在隔离区",
         "找出第二台设备，给它单独的名称（新配置、空的日志目录）"},
        [ALERT_TWINS -
            ALERT_FORK] = {"有两台设备轮流使用同一名称，两处的数据混在一起，可能漏报警",
                           "找出第二台设备，给它单独的名称（新配置、空的日志目录）"},
        [ALERT_REGRESSED - ALERT_FORK] =
            {"设备保存的数据少于它已发送的：磁盘被旧备份恢复，或丢失了已写入的数据",
             "检查设备的磁盘或存储卡，磨损则更换；采集服务中的数据是安全的"},
        [ALERT_LOST_PACKS -
            ALERT_FORK] = {"有数据包丢失，不会再到达",
                           "在历史数据中查看缺口；检查设备的磁盘、剩余空间和断网时间"},
        [ALERT_JOURNAL_DAMAGE - ALERT_FORK] =
            {"采集服务的日志在磁盘上损坏；完好的记录都已保留，损坏的已丢失",
             "运行 coldchainctl journal verify；查看内核日志，尽快更换磁盘"},
        [ALERT_POISON - ALERT_FORK] =
            {"一条消息两次使采集服务崩溃，已跳过；它保留在隔离区，其内容未参与报警判断",
             "用 coldchainctl quarantine 取出原始字节并报告问题；请人工检查该时段的库房"},
        [ALERT_ALARM_PATH - ALERT_FORK] =
            {"消息无法通过此通道送达，报警可能没有人收到；系统会继续重试，能走其他通道的已改走",
             "查看最近一次结果（coldchainctl doctor）、地址、密钥和网络；恢复之前请派人巡查"},
        [ALERT_CLOCK_WRONG - ALERT_FORK] =
            {"设备时钟不准：读数的时间在未来、时钟倒退，或开机一小时后时钟仍未设置；报警可能时间有误，或不发生",
             "检查设备的时间服务器（NTP）、网络和时钟电池；若多台设备同时出现，请检查采集服务器的时钟"},
    },
};

void message_trouble(const struct incident *incident, enum alert_effect_kind kind,
                     bool is_zh, struct buf *out)
{
    assert(alert_kind_is_trouble(incident->kind));
    const struct words *words = &all_words[is_zh][incident->kind - ALERT_FORK];
    buf_text(out, words->what);
    if (incident->kind == ALERT_LOST_PACKS)
        buf_format(out, is_zh ? "（%.0f 个）" : " (%.0f so far)", incident->value);
    if (kind == ALERT_EFFECT_CLOSED && incident->kind == ALERT_ALARM_PATH)
        buf_text(out,
                 is_zh ? "；已恢复，或已由人工关闭" : "; it works again, or was closed");
    else if (kind == ALERT_EFFECT_CLOSED)
        buf_text(out, is_zh ? "；已由人工关闭" : "; closed by a person");
    else
        buf_format(out, is_zh ? "。处理：%s" : ". What to do: %s", words->remedy);
}
