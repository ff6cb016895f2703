// SPDX-License-Identifier: Apache-2.0
/* Of the dictionary: journal, quarantine, backup, import. */
#include <inttypes.h>

#include "coldchainctl/words.h"

// clang-format off
static const struct say_entry entries[] = {
    /* ---- journal ---- */
    {{"spare", "备用"}},
    {{"LOST", "丢失"}},
    {{"sound", "完好"}},
    {{"%s, generation %" PRIu64, "%s，第 %" PRIu64 " 代"}},
    {{"records", "记录"}},
    {{"%" PRIu64 " in %zu segments, %zu spare", "%" PRIu64 " 条，%zu 段，%zu 段备用"}},
    {{"positions", "位置"}},
    {{"%" PRIu64 " to %" PRIu64 ", synced through %" PRIu64,
      "%" PRIu64 " 到 %" PRIu64 "，已落盘至 %" PRIu64}},
    {{"losses", "丢失"}},
    {{"%" PRIu64 " recorded", "已记录 %" PRIu64 " 处"}},
    {{"tail", "末尾"}},
    {{"%" PRIu64 " bytes behind the last record: a write that was cut, or one under way",
      "最后一条记录之后有 %" PRIu64 " 字节：写入中断，或正在写入"}},
    {{"\n%" PRIu64 " damaged regions, %" PRIu64 " bytes, %" PRIu64
      " breaks of the chain. What is around them is kept and readable.\n"
      "'coldchainctl journal repair %s', with its daemon stopped, records what is lost; then "
      "look at the disk.\n",
      "\n%" PRIu64 " 处损坏，%" PRIu64 " 字节，哈希链断开 %" PRIu64
      " 处。其余记录完好可读。\n"
      "停止守护进程后，“coldchainctl journal repair %s”登记丢失的部分；然后请检查磁盘。\n"}},
    {{"%" PRIu64 " kept", "保留 %" PRIu64 " 条"}},
    {{"cut", "截去"}},
    {{"%" PRIu64 " bytes of a torn tail", "不完整的末尾 %" PRIu64 " 字节"}},
    {{"quarantined", "隔离"}},
    {{"%zu files copied to quarantine/", "%zu 个文件已复制到 quarantine/"}},
    {{"%" PRIu64 " recorded now, %" PRIu64 " were known",
      "新登记 %" PRIu64 " 处，已知 %" PRIu64 " 处"}},
    {{"generation", "代次"}},
    {{", raised: agents will be asked again", "，已提升：将请采集端重发"}},
    {{"a daemon has %.200s open; stop it first", "%.200s 正被守护进程使用；请先停止它"}},

    /* ---- quarantine ---- */
    {{"ever: ", "累计："}},
    {{"nothing was ever put into quarantine", "从未有消息被隔离"}},
    {{"unreadable", "无法读取"}},
    {{"fork", "重名"}},
    {{"implausible-time", "时间不合理"}},
    {{"undeclared-device", "设备未登记"}},
    {{"journal-damage", "日志损坏"}},
    {{"poison", "处理时崩溃"}},
    {{"given-up", "不再等待"}},
    {{"refused-by-influx", "时序库拒收"}},
    {{"another pack with this name, or with another one before it, is in: two devices go by "
      "one name",
      "同名或前后不接的包已在库中：有两台设备使用同一名称"}},
    {{"kept, but readings dated in the far past or future raise no alarm",
      "已保存，但时间过早或过晚的读数不会引发告警"}},
    {{"kept, but the device is not declared and measures no zone",
      "已保存，但设备未登记，不属于任何库区"}},

    /* ---- backup and restore ---- */
    {{"%s is there already; name a new one", "%s 已存在；请换一个新名称"}},
    {{"'%.100s' is no file of a backup", "“%.100s”不是备份中的文件"}},
    {{"a file turned out longer than announced", "有文件比声明的更长；请重新备份"}},
    {{"%s ends in the middle of a file", "%s 在文件中途结束；请另取一份备份"}},
    {{"%s is no backup, or it is torn; make another one", "%s 不是备份，或已不完整；请重新备份"}},
    {{"%.100s ended early", "%.100s 提前结束；请重新备份"}},
    {{"the answer is not that of a collector", "应答不是采集器的应答；请检查 --api"}},
    {{"%s is whole: %zu files, %" PRIu64 " bytes, made %s by version %s\n",
      "%s 完整：%zu 个文件，%" PRIu64 " 字节，%s 由版本 %s 生成\n"}},
    {{"%.100s is in it twice; it is no backup", "其中有两个 %.100s；这不是备份"}},
    {{"its manifest is too large to be one", "清单过大，不是备份的清单"}},
    {{"%s: %.100s is missing", "%s：缺少 %.100s"}},
    {{"%s: %.100s is not what was written: its hash differs",
      "%s：%.100s 与写入时不同：哈希值不符"}},
    {{"%s holds files that its manifest does not name", "%s 中有清单未列出的文件"}},
    {{"%s has no manifest: it is no backup, or it is torn", "%s 没有清单：不是备份，或已不完整"}},
    {{"%s was written by a newer coldchainctl; use that one",
      "%s 由更新版本的 coldchainctl 生成；请用该版本"}},
    {{"a collector is running over %s: stop it first (systemctl stop coldchain-collector), "
      "then restore, then start it",
      "采集器正在使用 %s：请先停止（systemctl stop coldchain-collector），再恢复，然后启动"}},
    {{"%s is not empty; --force moves what is there to %s",
      "%s 不是空目录；--force 会把其中内容移到 %s"}},
    {{"the journal of the backup is damaged", "备份中的日志已损坏"}},
    {{"%s could not be put into place; what was there is in %s",
      "%s 未能就位；原有内容在 %s"}},
    {{"%s is as it was %s: %zu files, generation %" PRIu64 "\n",
      "%s 已恢复到 %s 的状态：%zu 个文件，第 %" PRIu64 " 代\n"}},
    {{"what was there is in %s\n", "原有内容在 %s\n"}},
    {{"start the collector: agents are asked for what came since",
      "请启动采集器：采集端将被要求补发此后的数据"}},

    /* ---- import ---- */
    {{"imported before, nothing was changed", "此前已导入，未作更改"}},
    {{"imported", "已导入"}},
    {{"%s/%s, epoch %s", "%s/%s，批次 %s"}},
    {{"rows", "行"}},
    {{"%zu, %zu readings, %s to %s", "%zu 行，%zu 个读数，%s 至 %s"}},
    {{"left out", "略去"}},
    {{"%zu rows; the first: %s", "%zu 行；第一处：%s"}},
    {{"placed", "安放"}},
    {{"imported before, placed now", "此前已导入，现已安放"}},
    {{"in %s for the time of the file, late", "文件所含时段安放于 %s，事后补登"}},
    {{"in %s, as before", "安放于 %s，与此前相同"}},
    {{"%.64s/%.64s measures zone '%.64s' from %s to %s, not '%.64s'; nothing was imported: put "
      "that placement right first (coldchainctl do placement.correct), or leave --zone out",
      "%.64s/%.64s 在库区“%.64s”，%s 至 %s，而不是“%.64s”；未导入：请先更正该安放记录"
      "（coldchainctl do placement.correct），或去掉 --zone"}},
    {{"the time of the file is placed in too many pieces; place the rest by 'coldchainctl do "
      "placement.put'",
      "文件所含时段的安放过于零碎；请用“coldchainctl do placement.put”安放其余部分"}},
    {{"nowhere: the readings are kept, and count for a zone once %s/%s is placed in it",
      "未安放：读数已保存，%s/%s 安放到库区后才计入该库区"}},
    {{"%.200s changed while it was read; nothing was imported: take it once it is whole",
      "%.200s 在读取时发生了变化，未导入；请等文件写完再导入"}},
    {{"the file is stored and not yet evaluated; 'coldchainctl status' says how far the "
      "collector is, importing again does no harm",
      "文件已保存但尚未判断；“coldchainctl status”显示进度，再次导入无害"}},
    {{"byte %zu is no character of UTF-16", "第 %zu 字节不是 UTF-16 字符"}},
    {{"the file ends in the middle of a character; is it still being written?",
      "文件在字符中间结束；是否仍在写入？"}},
    {{"the file is neither UTF-8 nor UTF-16; export it as UTF-8, or: iconv -f GB18030 -t UTF-8",
      "文件既非 UTF-8 也非 UTF-16；请导出为 UTF-8，或用：iconv -f GB18030 -t UTF-8"}},
    {{"line %zu: its time is not between 2000 and 2100; does the column need a form, such as "
      "time=NAME@s?",
      "第 %zu 行：时间不在 2000 至 2100 年之间；该列是否需要格式，如 time=列名@s？"}},
    {{"%.400s; nothing was imported: mend it, or leave such rows out with --partial",
      "%.400s；未导入：请改正，或用 --partial 略去这样的行"}},
    {{"no row holds a reading%s%.300s", "没有一行含读数%s%.300s"}},
    {{"; the first: ", "；第一处："}},
    {{"line %zu has no end of line: the file may be half written",
      "第 %zu 行没有换行：文件可能未写完"}},
    {{"%s; nothing was imported: take the file once it is whole, say --whole when it is, or "
      "leave that line out with --partial",
      "%s；未导入：请等文件写完；若已写完请加 --whole，或用 --partial 略去该行"}},
    {{"'%s' is no channel; use a quantity such as air_temperature",
      "“%s”不是通道；请用测量量，如 air_temperature"}},
    {{"the unit of '%s' is none; use C, F, %% or one of SenML",
      "“%s”的单位无效；请用 C、F、%% 或 SenML 的单位"}},
    {{"no channel is named; add air_temperature=HEADING",
      "没有指定通道；请添加 air_temperature=列名"}},
};
// clang-format on

WORDS_PART(stores, entries);
