#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""usage: /usr/bin/python3 dashboards/grafana/generate.py [--check] [--into FOLDER]

Writes the dashboards and the provisioning of this folder, in English and in Chinese. What it
writes is committed; --check says (status 1) when a file is not what it would write.

Queries are InfluxQL, because all of InfluxDB 1.x, 2.x (with a DBRP mapping) and 3.x answer
it. Measurements, tags and fields are those of collector/store/influx_lines.c and
influx_incidents.c; tests run every query here against a real InfluxDB.
"""
import argparse
import json
import os
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
DATASOURCE = "coldchain-influxdb"
DS = {"type": "influxdb", "uid": "${ds}"}
SCHEMA = 41
WRITE_PERIOD = "10s"
GAP_MS = 300000  # a line is not drawn across more: no data is shown as no data

# Colours that people with any colour vision tell apart (Okabe and Ito).
BLUE, ORANGE, RED, GREY = "#0072B2", "#E69F00", "#D55E00", "#999999"

LANGUAGES = ("en", "zh")
WORDS = {  # every text of the dashboards: key -> (English, Chinese)
    "folder": ("Coldchain", "冷链"),
    "overview": ("Coldchain / Overview", "冷链 / 总览"),
    "zone_board": ("Coldchain / Zone", "冷链 / 库房与车厢"),
    "ds": ("Data source", "数据源"),
    "org": ("Organisation", "组织"),
    "site": ("Site", "场所"),
    "zone": ("Zone", "库房/车厢"),
    "incidents": ("Incidents", "事件"),
    "dashboards": ("Dashboards", "仪表板"),
    "open": ("Open incidents", "未结束的事件"),
    "open.about": ("Incidents that are not closed, whatever the time range above.",
                   "尚未结束的事件数，与上方时间范围无关。"),
    "unacked": ("Nobody has taken", "无人认领"),
    "unacked.about": ("Incidents that nobody has acknowledged, closed ones too, whatever the time range.",
                      "无人确认的事件数（含已结束的），与时间范围无关。"),
    "silent": ("Silent sensors", "无数据的传感器"),
    "silent.about": ("Open incidents of the silence rules: a channel or a device stopped talking.",
                     "静默规则的未结束事件：某通道或设备停止上报。"),
    "heard": ("Zones heard", "有数据的库房/车厢"),
    "heard.about": ("Zones with at least one reading of the air in the time range.",
                    "时间范围内至少有一个空气温度读数的库房/车厢数。"),
    "readings": ("Readings of the air", "空气温度读数"),
    "readings.about": ("How many air temperatures arrived in the time range.", "时间范围内收到的空气温度读数个数。"),
    "zones": ("Zones", "库房/车厢一览"),
    "zones.about": ("Last, lowest and highest air temperature in the time range. A click leads to the zone.",
                    "时间范围内的最近、最低、最高空气温度。点击进入该库房/车厢。"),
    "warmest": ("Highest air temperature", "最高空气温度"),
    "warmest.about": ("The highest value of each interval, so that zooming out hides no peak. A hole is a hole in the data.",
                      "每个时段内的最高值，缩小显示也不会掩盖峰值。断线表示没有数据。"),
    "coldest": ("Lowest air temperature", "最低空气温度"),
    "coldest.about": ("The lowest value of each interval, so that zooming out hides no frost.",
                      "每个时段内的最低值，缩小显示也不会掩盖冻害。"),
    "needs": ("Needs somebody", "待处理"),
    "needs.about": ("Incidents that are open or not acknowledged, whatever the time range. Acknowledge with coldchainctl or the API.",
                    "未结束或未确认的事件，与时间范围无关。用 coldchainctl 或 API 确认。"),
    "past": ("Incidents that began in the time range", "时间范围内开始的事件"),
    "past.about": ("What was wrong, the newest first; end is empty while it lasts.", "发生过什么，新的在前；未结束时没有结束时间。"),
    "now_air": ("Air now", "当前空气温度"),
    "now_air.about": ("The last air temperature in the time range.", "时间范围内最近的空气温度。"),
    "now_product": ("Product now", "当前产品温度"),
    "now_product.about": ("The last product (pulp) temperature in the time range.", "时间范围内最近的产品（果心）温度。"),
    "now_humidity": ("Humidity now", "当前相对湿度"),
    "now_humidity.about": ("The last relative humidity in the time range.", "时间范围内最近的相对湿度。"),
    "worst": ("Warmest in the range", "范围内最高"),
    "worst.about": ("The highest air temperature in the time range.", "时间范围内的最高空气温度。"),
    "best": ("Coldest in the range", "范围内最低"),
    "best.about": ("The lowest air temperature in the time range.", "时间范围内的最低空气温度。"),
    "temperatures": ("Temperatures", "温度"),
    "temperatures.about": ("Air (highest and lowest of each interval, per probe), product and set point. Orange lines are incidents.",
                           "空气（各探头每时段最高与最低）、产品与设定温度。橙色竖线为事件。"),
    "humidity": ("Relative humidity", "相对湿度"),
    "humidity.about": ("Mean of each interval, per probe.", "各探头每时段的平均值。"),
    "switches": ("Door, defrost, compressor", "门、除霜、压缩机"),
    "switches.about": ("1 when it was open or on at any moment of the interval.", "该时段内任一时刻打开或运行则为 1。"),
    "faults": ("Readings without a value", "无值读数"),
    "faults.about": ("A probe was open, short, out of range or silent: readings that carry a reason instead of a value.",
                     "探头断路、短路、超量程等：读数只有原因而没有数值。"),
    "late": ("Late readings", "迟到的读数"),
    "late.about": ("Readings that arrived more than five minutes after they were taken: a backlog came in.",
                   "采集五分钟之后才到达的读数：积压数据补传。"),
    "max": ("highest", "最高"), "min": ("lowest", "最低"), "last": ("last", "最近"),
    "product": ("product", "产品"), "set_point": ("set point", "设定"),
    "door": ("door", "门"), "defrost": ("defrost", "除霜"), "compressor": ("compressor", "压缩机"),
    "since": ("Since", "开始"), "end": ("End", "结束"), "severity": ("Severity", "级别"), "state": ("State", "状态"),
    "text": ("What", "内容"), "acked": ("Taken", "已确认"), "go_zone": ("Show this zone", "查看该库房/车厢"),
    "open_word": ("open", "打开/运行"), "closed_word": ("closed or off", "关闭/停止"),
}


class Board:
    """One dashboard in one language: panels are placed from left to right, row by row."""

    def __init__(self, language, name, title):
        self.language, self.name, self.title = language, name, title
        self.panels, self.x, self.y, self.height = [], 0, 0, 0

    def say(self, key):
        return WORDS[key][LANGUAGES.index(self.language)]

    def uid(self, name=None):
        return f"coldchain-{name or self.name}-{self.language}"

    def text_field(self):
        return "text_zh" if self.language == "zh" else "text"

    def place(self, width, height):
        if self.x + width > 24:
            self.x, self.y = 0, self.y + self.height
        at = {"h": height, "w": width, "x": self.x, "y": self.y}
        self.x, self.height = self.x + width, height
        return at

    def add(self, kind, key, width, height, targets, unit, **more):
        panel = {
            "id": len(self.panels) + 1, "type": kind, "title": self.say(key), "description": self.say(key + ".about"),
            "gridPos": self.place(width, height), "datasource": DS,
            "fieldConfig": {"defaults": {"unit": unit, "color": {"mode": "palette-classic-by-name"},
                                         **more.pop("defaults", {})}, "overrides": more.pop("overrides", [])},
            "options": more.pop("options", {}),
            "targets": [{"refId": chr(65 + place), "datasource": DS, "rawQuery": True, **target}
                        for place, target in enumerate(targets)],
            **more,
        }
        self.panels.append(panel)

    # --- panels --------------------------------------------------------------------------

    def stat(self, key, query, unit, width=4, steps=((GREY, None),), **defaults):
        self.add("stat", key, width, 4, [table(query)], unit,
                 defaults={"color": {"mode": "thresholds"}, "thresholds": thresholds(steps), **defaults},
                 options={"colorMode": "value", "graphMode": "none", "justifyMode": "auto", "textMode": "auto",
                          "reduceOptions": {"calcs": ["lastNotNull"], "fields": "", "values": False}})

    def lines(self, key, targets, unit, width=24, height=9, custom=None, **defaults):
        self.add("timeseries", key, width, height, targets, unit,
                 defaults={"custom": {"drawStyle": "line", "lineWidth": 1, "fillOpacity": 0, "showPoints": "never",
                                      "spanNulls": False, "insertNulls": GAP_MS, **(custom or {})}, **defaults},
                 options={"legend": {"displayMode": "table", "placement": "bottom", "showLegend": True,
                                     "calcs": ["lastNotNull", "min", "max"]},
                          "tooltip": {"mode": "multi", "sort": "desc"}})

    def incident_table(self, key, where, height=8):
        query = (f'SELECT "severity", "state", "acknowledged", "zone"::tag, "{self.text_field()}", "end_ms" '
                 f'FROM "incident" WHERE {where} ORDER BY time DESC LIMIT 200')
        names = {"Time": "since", "severity": "severity", "state": "state", "acknowledged": "acked", "zone": "zone",
                 self.text_field(): "text", "end_ms": "end"}
        overrides = [named(field, displayName=self.say(word)) for field, word in names.items()]
        overrides += [named("end_ms", unit="dateTimeAsIso", noValue="", mappings=[
            {"type": "value", "options": {"0": {"text": "-", "index": 0}}}])]
        overrides += [named("zone", links=[self.zone_link("${__value.raw}")])]
        self.add("table", key, 24, height, [table(query)], "none", overrides=overrides,
                 defaults={"custom": {"align": "auto", "filterable": True}},
                 options={"showHeader": True, "cellHeight": "sm"})

    def zone_link(self, value):
        return {"title": self.say("go_zone"), "url": f"/d/{self.uid('zone')}?var-zone={value}&${{__url_time_range}}"}

    # --- the whole -----------------------------------------------------------------------

    def variables(self, zone_is_one):
        listed = [datasource_variable(self.say("ds")),
                  variable("org", self.say("org"), tag_values("org")),
                  variable("site", self.say("site"), tag_values("site", '"org" =~ /^${org:regex}$/')),
                  variable("zone", self.say("zone"),
                           tag_values("zone", '"org" =~ /^${org:regex}$/ AND "site" =~ /^${site:regex}$/'))]
        if zone_is_one:
            listed[-1].update(multi=False, includeAll=False)
        return listed

    def annotations(self):
        query = (f'SELECT "{self.text_field()}", "severity", "end_ms" FROM "incident" '
                 f"WHERE $timeFilter AND {PLACE} LIMIT 500")
        return [
            {"builtIn": 1, "datasource": {"type": "grafana", "uid": "-- Grafana --"}, "enable": True, "hide": True,
             "iconColor": "rgba(0, 211, 255, 1)", "name": "Annotations & Alerts", "type": "dashboard"},
            {"name": self.say("incidents"), "enable": True, "iconColor": RED, "datasource": DS,
             "target": {"refId": "Anno", "fromAnnotations": True, "rawQuery": True, "textEditor": True,
                        "textColumn": self.text_field(), "tagsColumn": "severity", "timeEndColumn": "end_ms",
                        "query": query}}]

    def model(self, zone_is_one):
        tag = "coldchain" if self.language == "en" else f"coldchain-{self.language}"
        return {
            "uid": self.uid(), "title": self.say(self.title), "tags": [tag], "schemaVersion": SCHEMA, "version": 1,
            "editable": True, "graphTooltip": 1, "timezone": "browser", "refresh": "30s",
            "time": {"from": "now-24h", "to": "now"},
            "links": [{"type": "dashboards", "tags": [tag], "asDropdown": True, "includeVars": True, "keepTime": True,
                       "title": self.say("dashboards")}],
            "templating": {"list": self.variables(zone_is_one)},
            "annotations": {"list": self.annotations()}, "panels": self.panels}


# --- pieces ------------------------------------------------------------------------------

PLACE = '"org" =~ /^${org:regex}$/ AND "site" =~ /^${site:regex}$/ AND "zone" =~ /^${zone:regex}$/'
HERE_AND_NOW = f"$timeFilter AND {PLACE}"


def table(query):
    return {"resultFormat": "table", "query": query}


def series(query, alias):
    return {"resultFormat": "time_series", "alias": alias, "query": query}


def per_interval(function, field, tags, fill="null"):
    groups = "".join(f', "{tag}"::tag' for tag in tags)
    return (f'SELECT {function}("{field}") FROM "climate" WHERE {HERE_AND_NOW} '
            f"GROUP BY time($__interval){groups} fill({fill})")


def thresholds(steps):
    return {"mode": "absolute", "steps": [{"color": color, "value": value} for color, value in steps]}


def named(field, **properties):
    return {"matcher": {"id": "byName", "options": field},
            "properties": [{"id": name, "value": value} for name, value in properties.items()]}


def tag_values(tag, where=""):
    query = f'SHOW TAG VALUES FROM "climate" WITH KEY = "{tag}"'
    return f"{query} WHERE {where}" if where else query


def datasource_variable(label):
    return {"type": "datasource", "name": "ds", "label": label, "query": "influxdb", "current": {}, "hide": 0,
            "refresh": 1, "regex": ""}


def variable(name, label, query):
    return {"type": "query", "name": name, "label": label, "datasource": DS, "refresh": 2, "sort": 1, "multi": True,
            "includeAll": True, "current": {}, "query": query, "hide": 0}


def overview(language):
    board = Board(language, "overview", "overview")
    alarm = ((BLUE, None), (RED, 1))
    board.stat("open", f'SELECT count("revision") FROM "incident" WHERE "state" <> \'closed\' AND {PLACE}', "none",
               steps=alarm, noValue="0")
    board.stat("unacked", f'SELECT count("revision") FROM "incident" WHERE "acknowledged" = false AND {PLACE}', "none",
               steps=alarm, noValue="0")
    board.stat("silent", f'SELECT count("revision") FROM "incident" WHERE "kind" = \'silent\' AND "state" <> \'closed\' '
               f"AND {PLACE}", "none", steps=alarm, noValue="0")
    board.stat("heard", f'SELECT count("l") FROM (SELECT last("air_temperature") AS "l" FROM "climate" '
               f'WHERE {HERE_AND_NOW} GROUP BY "zone"::tag)', "none", width=6, steps=((BLUE, None),))
    board.stat("readings", f'SELECT count("air_temperature") FROM "climate" WHERE {HERE_AND_NOW}', "short", width=6,
               steps=((BLUE, None),))
    board.incident_table("needs", f'("state" <> \'closed\' OR "acknowledged" = false) AND {PLACE}', height=7)
    board.lines("warmest", [series(per_interval("max", "air_temperature", ["zone"]), "$tag_zone")], "celsius", width=12,
                decimals=1, links=[board.zone_link("${__field.labels.zone}")])
    board.lines("coldest", [series(per_interval("min", "air_temperature", ["zone"]), "$tag_zone")], "celsius", width=12,
                decimals=1, links=[board.zone_link("${__field.labels.zone}")])
    board.add("table", "zones", 24, 8, [table(
        f'SELECT last("air_temperature") AS "{board.say("last")}", min("air_temperature") AS "{board.say("min")}", '
        f'max("air_temperature") AS "{board.say("max")}" FROM "climate" WHERE {HERE_AND_NOW} GROUP BY "zone"::tag')],
        "celsius", defaults={"decimals": 1, "custom": {"align": "auto"}},
        overrides=[named("Time", **{"custom.hidden": True}),
                   named("zone", displayName=board.say("zone"), links=[board.zone_link("${__value.raw}")])],
        options={"showHeader": True, "cellHeight": "sm"})
    board.incident_table("past", HERE_AND_NOW)
    return board.model(zone_is_one=False)


def zone(language):
    board = Board(language, "zone", "zone_board")
    for key, function, field, unit in (("now_air", "last", "air_temperature", "celsius"),
                                       ("now_product", "last", "product_temperature", "celsius"),
                                       ("now_humidity", "last", "humidity", "humidity"),
                                       ("worst", "max", "air_temperature", "celsius"),
                                       ("best", "min", "air_temperature", "celsius")):
        board.stat(key, f'SELECT {function}("{field}") FROM "climate" WHERE {HERE_AND_NOW}', unit,
                   width=6 if key in ("now_air", "now_product") else 4, steps=((BLUE, None),), decimals=1)
    board.lines("temperatures", [
        series(per_interval("max", "air_temperature", ["device", "probe"]), f"{board.say('max')} $tag_device $tag_probe"),
        series(per_interval("min", "air_temperature", ["device", "probe"]), f"{board.say('min')} $tag_device $tag_probe"),
        series(per_interval("mean", "product_temperature", ["device", "probe"]),
               f"{board.say('product')} $tag_device $tag_probe"),
        series(per_interval("last", "set_point", ["device", "probe"]), f"{board.say('set_point')} $tag_device $tag_probe"),
    ], "celsius", height=11, decimals=1)
    board.lines("humidity", [series(per_interval("mean", "humidity", ["device", "probe"]), "$tag_device $tag_probe")],
                "humidity", height=7, decimals=0)
    board.add("state-timeline", "switches", 24, 6, [
        series(per_interval("max", field, ["device"], fill="null"), f"{board.say(field)} $tag_device")
        for field in ("door", "defrost", "compressor")], "none",
        defaults={"color": {"mode": "thresholds"}, "thresholds": thresholds(((GREY, None), (ORANGE, 1))),
                  "custom": {"fillOpacity": 80, "lineWidth": 0, "spanNulls": False, "insertNulls": GAP_MS},
                  "mappings": [{"type": "value", "options": {"0": {"text": board.say("closed_word"), "index": 0},
                                                             "1": {"text": board.say("open_word"), "index": 1}}}]},
        options={"mergeValues": True, "showValue": "auto", "rowHeight": 0.8, "alignValue": "left",
                 "legend": {"displayMode": "list", "placement": "bottom", "showLegend": True},
                 "tooltip": {"mode": "single", "sort": "none"}})
    bars = {"drawStyle": "bars", "fillOpacity": 60, "insertNulls": False}
    board.lines("faults", [series(per_interval("count", "state", ["device", "probe"], fill="none"),
                                  "$tag_device $tag_probe")], "short", width=12, height=6, custom=bars)
    board.lines("late", [series(per_interval("count", "late", ["device"], fill="none"), "$tag_device")], "short",
                width=12, height=6, custom=bars)
    board.incident_table("past", HERE_AND_NOW)
    return board.model(zone_is_one=True)


DATASOURCES = f"""\
# SPDX-License-Identifier: Apache-2.0
# Written by dashboards/grafana/generate.py. For /etc/grafana/provisioning/datasources/.
# Set COLDCHAIN_INFLUX_URL, and where InfluxDB asks for them the user and the password, in
# Grafana's environment. For InfluxDB 2.x see docs/grafana.md.
apiVersion: 1
datasources:
  - name: coldchain-influxql
    uid: {DATASOURCE}
    type: influxdb
    access: proxy
    url: $COLDCHAIN_INFLUX_URL
    user: $COLDCHAIN_INFLUX_USER
    jsonData: {{dbName: coldchain, httpMode: POST, timeInterval: {WRITE_PERIOD}}}
    secureJsonData: {{password: $COLDCHAIN_INFLUX_PASSWORD}}
"""

PROVIDERS = """\
# SPDX-License-Identifier: Apache-2.0
# Written by dashboards/grafana/generate.py. For /etc/grafana/provisioning/dashboards/.
# One provider per language; remove the one that nobody reads.
apiVersion: 1
providers:
"""
PROVIDER = """\
  - name: coldchain-{language}
    orgId: 1
    folder: {folder}
    folderUid: coldchain-{language}
    type: file
    disableDeletion: false
    updateIntervalSeconds: 30
    allowUiUpdates: false
    options: {{path: $COLDCHAIN_DASHBOARDS/{language}}}
"""


def files():
    """{path below this folder: text}"""
    made = {"provisioning/datasources/coldchain.yaml": DATASOURCES,
            "provisioning/dashboards/coldchain.yaml": PROVIDERS + "".join(
                PROVIDER.format(language=language, folder=WORDS["folder"][place])
                for place, language in enumerate(LANGUAGES))}
    for language in LANGUAGES:
        for name, make in (("overview", overview), ("zone", zone)):
            made[f"dashboards/{language}/{name}.json"] = json.dumps(make(language), ensure_ascii=False, indent=1) + "\n"
    return made


def is_current(path, text):
    try:
        with open(path, encoding="utf-8") as file:
            return file.read() == text
    except FileNotFoundError:
        return False


def main():
    parser = argparse.ArgumentParser(usage=__doc__)
    parser.add_argument("--check", action="store_true")
    parser.add_argument("--into", default=HERE)
    options = parser.parse_args()
    stale = [name for name, text in files().items() if not is_current(os.path.join(options.into, name), text)]
    if options.check:
        print("\n".join(f"{name} is not what generate.py writes" for name in stale), end="\n" if stale else "")
        return 1 if stale else 0
    for name in stale:
        path = os.path.join(options.into, name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "w", encoding="utf-8") as file:
            file.write(files()[name])
    return 0


if __name__ == "__main__":
    sys.exit(main())
