#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The dictionary of coldchainctl holds what the program says, and nothing else.

usage: words_test.py SOURCE_DIR [--missing]
"""
import glob
import os
import re
import sys
import unittest

SOURCE = os.path.abspath(sys.argv[1])
FOLDER = os.path.join(SOURCE, "coldchainctl")
DICTIONARY = sorted(glob.glob(os.path.join(FOLDER, "words_*.c")))
MACROS = {"PRIu64": "lu", "PRId64": "ld", "PRIx64": "lx"}
# What describes a command in --help alone, is made for other programs, or is a model's own report.
TERMS = ("freshness", "history.c", "plot.c", "broker_cmd", "completion_cmd", "man.c", "man_cmd", "journal_record")
LITERAL = re.compile(r'"((?:[^"\\]|\\.)*)"|\b(PRI[uxd]64|CLIENT_[A-Z_]+)\b')
# Words of the API and of the rules below it: (file, the macro that lists them).
LISTS = (("telemetry/reading.h", "QUALITY_LIST", "quality: "), ("alerts/incident.h", "INCIDENT_STATE_LIST", ""),
         ("alerts/incident.h", "ALERT_EFFECT_LIST", ""), ("alerts/kind.h", "ALERT_KIND_LIST", ""),
         ("alerts/kind.h", "ALERT_SEVERITY_LIST", ""), ("alerts/rule.h", "ALERT_REASON_LIST", "reason: "),
         ("alerts/suppression.h", "SUPPRESSION_END_LIST", "ended: "), ("alerts/standing.h", "STANDING_STATE_LIST", "standing: "), ("base/err.h", "ERR_LIST", ""),
         ("collector/store/state_incidents.h", "STATE_OUTBOX_LIST", ""),
         ("collector/command/verb.h", "FIELD_TYPE_LIST", "type: "))


def read(path):
    with open(path, encoding="utf-8") as file:
        return re.sub(r"/\*.*?\*/|//$", "", file.read(), flags=re.S)


def defines():
    text = read(os.path.join(FOLDER, "client.h"))
    return dict(re.findall(r'#define (CLIENT_[A-Z_]+) +"([^"]*)"', text))


def joined(text, known):
    """The C literals at the start of the text as one; what stands behind them."""
    said, at = "", 0
    while True:
        blank = re.match(r"[\s\\]*", text[at:]).end()
        found = LITERAL.match(text, at + blank)
        if not found:
            return said, text[at + blank:]
        said += found.group(1) if found.group(1) is not None else MACROS.get(found.group(2)) or known[found.group(2)]
        at = found.end()


def dictionary():
    text, known, pairs = "".join(read(path) for path in DICTIONARY), defines(), []
    for found in re.finditer(r"\{\{", text):
        english, rest = joined(text[found.end():], known)
        pairs.append((english, joined(rest[1:], known)[0]))
    return pairs


def findings(known):
    """Every sentence of the doctor's: doctor_say() looks them up, whatever stands between."""
    found = {}
    for path in glob.glob(os.path.join(FOLDER, "doctor_[!c]*.c")) + glob.glob(os.path.join(FOLDER, "doctor_c[!m]*.c")):
        text = read(path)
        while (start := text.find('"')) >= 0:
            literal, text = joined(text[start:], known)
            # SQL, and what is looked for in the answer of a mail server, are said to nobody.
            if re.search(r"[a-z] ", literal) and not re.match("SELECT |PRAGMA |refused $", literal):
                found.setdefault(literal, os.path.basename(path))
        for area in re.findall(r'DOCTOR_(?:OK|WARNING|PROBLEM),\s*"([a-z]+)"|area\[\] = "([a-z]+)"', read(path)):
            found.setdefault("area: " + "".join(area), os.path.basename(path))
    return found


def said():
    """Every literal that goes through say(), and where."""
    known, found = defines(), {}
    starts = (r"\bsay(?:_word)?\(", r"\bcommand_usage\(\s*\"[a-z]+\",", r"\bshow_fact\([A-Z_]+, (?:\"[a-z ]+\"|[^\",(]+(?:\([^)]*\))?),",
              r"\bshow_fact\([A-Z_]+,", r"\.summary =", r"\.value =", r"\bfact\(",
              r"\bFIELD\(\s*\"[a-z-]+\", OPTION_[A-Z]+, \w+,", r"\bCLIENT_OPTION\(\s*\"[a-z-]+\", \w+, [\w.]+,")
    for path in sorted(glob.glob(os.path.join(FOLDER, "*.[ch]"))):
        name = os.path.basename(path)
        text = read(path)
        for start in starts:
            if name.startswith(TERMS) and start != r"\.summary =":
                continue
            for place in re.finditer(start, text):
                literal = joined(text[place.end():], known)[0]
                if re.search(r"[A-Za-z]{2}", re.sub(r"%[-0-9.*]*[a-z]+|\\.", "", literal)) or literal in MACROS:
                    found.setdefault(literal, name)
        for heads in re.findall(r"\.headings =\s*\{(.*?)\}", text, re.S) if not name.startswith(TERMS) else ():
            for literal in re.findall(r'"([^"]+)"', heads):
                found.setdefault(literal.removeprefix(">"), name)
    found.update(findings(known))
    for path, macro, before in LISTS:
        body = re.search(rf"#define {macro}\(X\)((?:.*\\\n)*.*\n)", read(os.path.join(SOURCE, path)))
        for literal in re.findall(r'X\(\w+, "([^"]+)"\)', body.group(1)):
            found.setdefault(before + literal, path)
    for literal in re.findall(r"X\(([A-Z_]+), ", read(os.path.join(SOURCE, "base", "err.h"))):
        found.setdefault("outcome: " + literal, "base/err.h")
    return found


class Words(unittest.TestCase):
    def test_everything_that_is_said_is_in_the_dictionary(self):
        known = {english for english, _ in dictionary()}
        self.assertGreater(len(known), 200)
        missing = {text: where for text, where in said().items() if text not in known}
        self.assertEqual(missing, {})

    def test_nothing_is_there_twice(self):
        known = [english for english, _ in dictionary()]
        self.assertEqual(sorted({text for text in known if known.count(text) > 1}), [])


if __name__ == "__main__":
    if sys.argv[2:] == ["--missing"]:
        KNOWN = {english for english, _ in dictionary()}
        for TEXT, WHERE in said().items():
            if TEXT not in KNOWN:
                print(f"{WHERE}: {TEXT}")
        raise SystemExit(0)
    unittest.main(argv=sys.argv[:1])
