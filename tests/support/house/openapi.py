# SPDX-License-Identifier: Apache-2.0
"""docs/openapi.yaml: the YAML that it is written in, and whether a value is as a schema says.

The YAML is a part of YAML 1.2 and 1.1 alike: maps and lists by indentation, flow maps and
lists on one line, texts plain or in double quotes, comments on lines of their own. What is
outside of that part is refused, not guessed; likewise a keyword of JSON Schema that the
checker does not know.
"""
import json
import os
import re

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__)))))
PATH = os.path.join(ROOT, "docs", "openapi.yaml")
PLAIN = re.compile(r"[A-Za-z/(][^:#\"{}\[\],&*!|>%@`]*")
KEY = re.compile(r'("(?:[^"\\]|\\.)*"|[A-Za-z_$/][^\s:"]*(?:\{[^\s:"]*)?):(?: |$)')
WORDS = {"true": True, "false": False, "null": None}
# What YAML 1.1 takes for truth.
TRAPS = {"yes", "no", "on", "off", "y", "n", "true", "false", "null"}


class Wrong(Exception):
    """What is wrong, and where."""


# ---- reading YAML ----

class Lines:
    def __init__(self, text):
        self.rows, self.at = [], 0
        for number, line in enumerate(text.splitlines(), 1):
            bare = line.strip()
            if bare and not bare.startswith("#"):
                self.rows.append((number, len(line) - len(line.lstrip(" ")), bare))

    def peek(self):
        return self.rows[self.at] if self.at < len(self.rows) else (0, -1, "")


class Flow:
    """One line's value: a scalar, or a map or list in flow style."""

    def __init__(self, text, number):
        self.text, self.at, self.number = text, 0, number

    def fail(self, what):
        raise Wrong(f"openapi.yaml:{self.number}: {what} at {self.text[self.at:self.at + 30]!r}")

    def space(self):
        while self.text[self.at:self.at + 1] == " ":
            self.at += 1

    def whole(self):
        value = self.value(False)
        self.space()
        if self.at != len(self.text):
            self.fail("more than one value")
        return value

    def quoted(self):
        try:
            value, end = json.JSONDecoder().raw_decode(self.text, self.at)
        except ValueError:
            self.fail("a text that does not end")
        self.at = end
        return value

    def value(self, in_flow):
        self.space()
        start = self.text[self.at:self.at + 1]
        if start == "{":
            return self.map()
        if start == "[":
            return self.list()
        if start == '"':
            return self.quoted()
        return self.plain(in_flow)

    def plain(self, in_flow):
        end = re.compile(r"[,\]}]|: " if in_flow else r": | #").search(self.text, self.at)
        if end and not in_flow:
            self.fail("a text that needs quotes")
        word = self.text[self.at:end.start() if end else len(self.text)].rstrip()
        start, self.at = self.at, self.at + len(word)
        if word in WORDS:
            return WORDS[word]
        if re.fullmatch(r"-?[0-9]+", word):
            return int(word)
        if re.fullmatch(r"-?[0-9]+\.[0-9]+", word):
            return float(word)
        if not PLAIN.fullmatch(word) or word.lower() in TRAPS:
            self.at = start
            self.fail("a text that needs quotes")
        return word

    def many(self, close, take):
        self.at += 1
        self.space()
        while self.text[self.at:self.at + 1] != close:
            take()
            self.space()
            if self.text[self.at:self.at + 1] == ",":
                self.at += 1
                self.space()
            elif self.text[self.at:self.at + 1] != close:
                self.fail(f"no '{close}'")
        self.at += 1

    def list(self):
        found = []
        self.many("]", lambda: found.append(self.value(True)))
        return found

    def map(self):
        found = {}

        def take():
            key = self.quoted() if self.text[self.at] == '"' else self.plain_key()
            if self.text[self.at:self.at + 2] != ": ":
                self.fail("no ': '")
            self.at += 2
            put(found, key, self.value(True), self.number)
        self.many("}", take)
        return found

    def plain_key(self):
        end = self.text.find(":", self.at)
        key = self.text[self.at:end]
        if end < 0 or not re.fullmatch(r"[A-Za-z$_-]+", key) or key.lower() in TRAPS:
            self.fail("a key that needs quotes")
        self.at = end
        return key


def put(found, key, value, number):
    if key in found:
        raise Wrong(f"openapi.yaml:{number}: '{key}' stands twice")
    found[key] = value


def read_block(lines, indent):
    number, _, text = lines.peek()
    if text.startswith("- "):
        return read_list(lines, indent)
    if KEY.match(text):
        return read_map(lines, indent)
    lines.at += 1
    return Flow(text, number).whole()


def read_list(lines, indent):
    found = []
    while lines.peek()[1] == indent and lines.peek()[2].startswith("- "):
        number, _, text = lines.peek()
        # What stands behind the dash is a block of its own, two further in.
        lines.rows[lines.at] = (number, indent + 2, text[2:])
        found.append(read_block(lines, indent + 2))
    return found


def read_map(lines, indent):
    found = {}
    while lines.peek()[1] == indent and not lines.peek()[2].startswith("- "):
        number, _, text = lines.peek()
        match = KEY.match(text)
        if not match:
            raise Wrong(f"openapi.yaml:{number}: no key in {text!r}")
        key = json.loads(match[1]) if match[1].startswith('"') else match[1]
        rest = text[match.end():].strip()
        if match[1].lower() in TRAPS:
            raise Wrong(f"openapi.yaml:{number}: '{key}' needs quotes")
        lines.at += 1
        inner = lines.peek()[1]
        if rest:
            put(found, key, Flow(rest, number).whole(), number)
        elif inner > indent:
            put(found, key, read_block(lines, inner), number)
        else:
            raise Wrong(f"openapi.yaml:{number}: nothing behind '{key}'")
    return found


def read_yaml(text):
    lines = Lines(text)
    found = read_block(lines, 0)
    if lines.at != len(lines.rows):
        raise Wrong(f"openapi.yaml:{lines.peek()[0]}: not understood: {lines.peek()[2]!r}")
    return found


def load():
    with open(PATH, encoding="utf-8") as file:
        return read_yaml(file.read())


# ---- writing it ----

def scalar(value):
    if isinstance(value, str) and PLAIN.fullmatch(value) and value.strip() == value and value.lower() not in TRAPS:
        return value
    return json.dumps(value, ensure_ascii=False)


def key_text(key, in_flow=False):
    plain = r"[A-Za-z$_-]+" if in_flow else r"[A-Za-z_$/][A-Za-z0-9_$/{}.-]*"
    return key if re.fullmatch(plain, key) and key.lower() not in TRAPS else json.dumps(key)


def flow(value):
    if isinstance(value, dict):
        return "{" + ", ".join(f"{key_text(key, True)}: {flow(one)}" for key, one in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(flow, value)) + "]"
    return scalar(value)


def write_yaml(value, indent=0, width=118):
    """A map or list as lines; what fits on one line is in flow style."""
    pad, out = " " * indent, []
    for key, one in value.items() if isinstance(value, dict) else enumerate(value):
        start = pad + ("- " if isinstance(value, list) else f"{key_text(key)}: ")
        short = start + flow(one)
        if not isinstance(one, (dict, list)) or (len(short) <= width and (indent > 2 or isinstance(one, list))):
            out.append(short)
        elif isinstance(value, list):
            inner = write_yaml(one, indent + 2, width)
            out.append(start + inner[indent + 2:].rstrip("\n"))
        else:
            out.append(start.rstrip() + "\n" + write_yaml(one, indent + 2, width).rstrip("\n"))
    return "\n".join(out) + "\n"


# ---- schemas ----

TYPES = {"object": dict, "array": list, "string": str, "boolean": bool, "null": type(None)}
NOTES = {"description", "format", "example", "examples", "title", "default", "readOnly", "writeOnly"}


def is_type(value, name):
    if name in ("integer", "number"):
        is_number = isinstance(value, int) or (name == "number" and isinstance(value, float))
        return is_number and not isinstance(value, bool)
    return isinstance(value, TYPES[name])


class Schemas:
    """Whether values are as the document's schemas say; members that none names are wrong too."""

    def __init__(self, document):
        self.document = document

    def resolve(self, node):
        while "$ref" in node:
            at = self.document
            for part in node["$ref"].removeprefix("#/").split("/"):
                if part not in at:
                    raise Wrong(f"{node['$ref']} leads nowhere")
                at = at[part]
            node = at
        return node

    def check(self, value, schema, where="$"):
        schema = self.resolve(schema)
        for keyword, wanted in schema.items():
            if keyword in NOTES or keyword.startswith("x-"):
                continue
            rule = getattr(self, "check_" + keyword, None)
            if rule is None:
                raise Wrong(f"{where}: the checker does not know '{keyword}'")
            rule(value, wanted, where, schema)

    def check_type(self, value, wanted, where, _):
        if not any(is_type(value, name) for name in (wanted if isinstance(wanted, list) else [wanted])):
            raise Wrong(f"{where}: {value!r} is not of type {wanted}")

    def check_enum(self, value, wanted, where, _):
        if value not in wanted:
            raise Wrong(f"{where}: {value!r} is none of {wanted}")

    def check_const(self, value, wanted, where, _):
        self.check_enum(value, [wanted], where, None)

    def check_anyOf(self, value, wanted, where, _):
        problems = []
        for one in wanted:
            try:
                return self.check(value, one, where)
            except Wrong as problem:
                problems.append(str(problem))
        raise Wrong(f"{where}: none of anyOf: {'; '.join(problems)}")

    def check_properties(self, value, wanted, where, schema):
        if not isinstance(value, dict):
            return
        for name, one in value.items():
            if name in wanted:
                self.check(one, wanted[name], f"{where}.{name}")
            elif "additionalProperties" not in schema:
                raise Wrong(f"{where}.{name} is not in the document")

    def check_required(self, value, wanted, where, _):
        missing = [name for name in wanted if isinstance(value, dict) and name not in value]
        if missing:
            raise Wrong(f"{where} lacks {missing}")

    def check_additionalProperties(self, value, wanted, where, schema):
        if isinstance(value, dict) and isinstance(wanted, dict):
            for name in value.keys() - schema.get("properties", {}).keys():
                self.check(value[name], wanted, f"{where}.{name}")

    def check_items(self, value, wanted, where, _):
        if isinstance(value, list):
            for index, one in enumerate(value):
                self.check(one, wanted, f"{where}[{index}]")

    def check_pattern(self, value, wanted, where, _):
        if isinstance(value, str) and not re.search(wanted, value):
            raise Wrong(f"{where}: {value!r} does not match {wanted}")

    def check_maxLength(self, value, wanted, where, _):
        if isinstance(value, str) and len(value) > wanted:
            raise Wrong(f"{where}: longer than {wanted}")

    def check_minimum(self, value, wanted, where, _):
        if isinstance(value, (int, float)) and value < wanted:
            raise Wrong(f"{where}: {value} is below {wanted}")

    def check_maximum(self, value, wanted, where, _):
        if isinstance(value, (int, float)) and value > wanted:
            raise Wrong(f"{where}: {value} is above {wanted}")

    def check_maxItems(self, value, wanted, where, _):
        if isinstance(value, list) and len(value) > wanted:
            raise Wrong(f"{where}: more than {wanted}")
