# SPDX-License-Identifier: Apache-2.0
"""usage: openapi_test.py AUTHORIZATION_TEST [--write]

docs/openapi.yaml against the collector's route table and verbs, as the test of the table
prints them: routes, methods, parameters, roles, scopes and bodies are the same in both.
--write makes the part that comes from the verbs anew. What a route lacks is printed ready
to be put in and finished by hand.
"""
import json
import os
import re
import subprocess
import sys
import unittest

SOURCE = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
sys.path.insert(0, os.path.join(SOURCE, "tests", "support"))

from house import openapi  # noqa: E402

BEGIN = "    # Bodies of changes: made from collector/command/verbs.c by tests/cli/openapi_test.py --write\n"
END = "    # End of what is made.\n"
TABLE = json.loads(subprocess.run([sys.argv[1], "--table"], capture_output=True, check=True).stdout)
METHODS = {"get", "post", "put", "patch", "delete"}
BASE = {
    "identifier": {"$ref": "#/components/schemas/identifier"},
    "name": {"type": "string", "maxLength": 64},
    "identifiers": {"type": "array", "maxItems": 64, "items": {"$ref": "#/components/schemas/identifier"}},
    "level": {"$ref": "#/components/schemas/level"},
    "yes or no": {"type": "boolean"},
    "time": {"$ref": "#/components/schemas/timeIn"},
    "duration": {"$ref": "#/components/schemas/duration"},
    "texts": {"type": "object", "additionalProperties": {"type": "string", "maxLength": 200}},
}


# ---- what the verbs say ----

def number_schema(field):
    schema = {"type": "number"}
    if "least" in field:
        schema.update(minimum=field["least"], maximum=field["most"])
    return {key: int(value) if value == int(value) else value
            for key, value in schema.items() if key != "type"} | {"type": "number"}


def field_schema(field):
    kind = field["type"]
    if kind == "text":
        schema = {"type": "string", "maxLength": int(field.get("most", 200))}
    elif kind == "number":
        schema = number_schema(field)
    elif kind == "word":
        schema = {"enum": field["words"]}
    elif kind == "words":
        schema = {"type": "array", "maxItems": 64, "items": {"enum": field["words"]}}
    elif kind == "records":
        schema = {"type": "array", "maxItems": int(field.get("most", 64)), "items": fields_schema(field["fields"])}
    else:
        schema = dict(BASE[kind])
    # What need not be there may be null, which takes it away.
    if field["needed"] == "optional":
        schema = {"anyOf": [schema, {"type": "null"}]}
    return {"description": f"{field['help']} / {field['help_zh']}", **schema}


def fields_schema(fields, given=()):
    schema = {"type": "object", "properties": {field["name"]: field_schema(field) for field in fields}}
    required = [field["name"] for field in fields if field["needed"] == "always" and field["name"] not in given]
    return {**schema, **({"required": required} if required else {})}


def given_by_address(verb):
    """Fields that every address of the verb already names."""
    counts = {route["pattern"].count("*") for route in TABLE["routes"] if route.get("verb") == verb["verb"]}
    if counts == {2}:
        return ["device", "channel"]
    return ["id"] if counts == {1} else []


def verb_schema(verb):
    schema = fields_schema(verb["fields"], given_by_address(verb))
    schema["properties"]["reason"] = {"$ref": "#/components/schemas/reason"}
    return {"description": f"{verb['help']} / {verb['help_zh']}", **schema, "example": verb["example"]}


def verbs_text():
    made = {verb["verb"]: verb_schema(verb) for verb in TABLE["verbs"] if verb["role"] != "route"}
    return "".join(openapi.write_yaml({name: schema}, 4) for name, schema in made.items())


# ---- what the table says ----

def matches(pattern, path):
    return re.fullmatch(re.escape(pattern).replace(r"\*", r"\{[a-z]+\}"), path) is not None


def skeleton(route):
    names = iter("abc")
    path = re.sub(r"\*", lambda _: "{" + next(names) + "}", route["pattern"])
    parameters = [{"name": name, "in": "query", "schema": {"type": "string"}} for name in route["params"].split()]
    operation = {"operationId": "TODO", "tags": ["TODO"], "summary": f"{route['help']} / ...",
                 "x-roles": route["roles"], **({"x-scope": route["scope"]} if route["scope"] else {}),
                 **({"parameters": parameters} if parameters else {}),
                 "responses": {"200": {"$ref": "#/components/responses/TODO"},
                               "default": {"$ref": "#/components/responses/problem"}}}
    return openapi.write_yaml({path: {route["method"].lower(): operation}}, 2)


class Document(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.document = openapi.load()
        cls.schemas = openapi.Schemas(cls.document)
        cls.operations = {(method.upper(), path): operation for path, item in cls.document["paths"].items()
                          for method, operation in item.items() if method in METHODS}

    def parameters(self, path, operation):
        both = self.document["paths"][path].get("parameters", []) + operation.get("parameters", [])
        return [self.schemas.resolve(one) for one in both]

    def pairs(self):
        """(route, path, operation) of what is in both."""
        for route in TABLE["routes"]:
            for (method, path), operation in self.operations.items():
                if method == route["method"] and matches(route["pattern"], path):
                    yield route, path, operation

    def test_every_route_is_in_the_document(self):
        known = {(route["method"], route["pattern"]) for route, _, _ in self.pairs()}
        for route in TABLE["routes"]:
            self.assertIn((route["method"], route["pattern"]), known, "docs/openapi.yaml lacks it:\n" + skeleton(route))

    def test_every_path_of_the_document_is_a_route(self):
        known = [(route["method"], path) for route, path, _ in self.pairs()]
        self.assertEqual(sorted(known), sorted(self.operations), "a path is no route, or is there under two names")

    def test_parameters_are_those_of_the_route(self):
        for route, path, operation in self.pairs():
            with self.subTest(method=route["method"], path=path):
                found = self.parameters(path, operation)
                in_path = [one["name"] for one in found if one["in"] == "path"]
                self.assertEqual(sorted(in_path), sorted(re.findall(r"\{(\w+)\}", path)))
                self.assertTrue(all(one["required"] for one in found if one["in"] == "path"))
                in_query = [one["name"] for one in found if one["in"] == "query"]
                self.assertEqual(sorted(in_query), sorted(route["params"].split()))

    def test_roles_and_scopes_are_those_of_the_route(self):
        for route, path, operation in self.pairs():
            with self.subTest(method=route["method"], path=path):
                self.assertEqual(operation["x-roles"], route["roles"])
                self.assertEqual(operation.get("x-scope", ""), route["scope"])
                self.assertEqual(operation.get("security"), [] if "anonymous" in route["roles"] else None)

    def test_a_change_has_a_body_as_its_verb_says(self):
        for route, path, operation in self.pairs():
            with self.subTest(method=route["method"], path=path):
                headers = [one["name"] for one in self.parameters(path, operation) if one["in"] == "header"]
                self.assertEqual("Idempotency-Key" in headers, route["method"] != "GET")
                if route["method"] == "GET":
                    self.assertNotIn("requestBody", operation)
                    self.assertEqual("If-None-Match" in headers, "304" in operation["responses"])
                if "verb" not in route:
                    continue
                body = self.schemas.resolve(operation["requestBody"])["content"]["application/json"]["schema"]
                self.assertEqual(body, {"$ref": f"#/components/schemas/{route['verb']}"})

    def test_the_verbs_are_as_they_are_written_there(self):
        with open(openapi.PATH, encoding="utf-8") as file:
            text = file.read()
        have = text.split(BEGIN)[1].split(END)[0]
        self.assertEqual(have, verbs_text(), "write it anew: openapi_test.py AUTHORIZATION_TEST --write")

    def test_operations_answer_and_are_named_once(self):
        names = [operation["operationId"] for operation in self.operations.values()]
        self.assertEqual(len(names), len(set(names)))
        tags = {tag["name"] for tag in self.document["tags"]}
        for (method, path), operation in self.operations.items():
            with self.subTest(method=method, path=path):
                self.assertNotIn("TODO", json.dumps(operation))
                self.assertTrue(set(operation["tags"]) <= tags)
                self.assertIn(" / ", operation["summary"], "English / Chinese")
                self.assertTrue(any(code[0] == "2" for code in operation["responses"]))
                self.assertEqual(operation["responses"]["default"], {"$ref": "#/components/responses/problem"})

    def test_every_reference_leads_somewhere_and_everything_is_used(self):
        used, waiting = set(), [self.document["paths"]]
        while waiting:
            node = waiting.pop()
            if isinstance(node, list):
                waiting += node
            elif isinstance(node, dict):
                if "$ref" in node and node["$ref"] not in used:
                    used.add(node["$ref"])
                    waiting.append(self.schemas.resolve({"$ref": node["$ref"]}))
                waiting += [value for key, value in node.items() if key != "example"]
        there = {f"#/components/{kind}/{name}" for kind in ("schemas", "parameters", "responses", "requestBodies")
                 for name in self.document["components"].get(kind, {})}
        self.assertEqual(used, there)

    def test_examples_are_as_their_schemas_say(self):
        for name, schema in self.document["components"]["schemas"].items():
            if "example" in schema:
                with self.subTest(schema=name):
                    self.schemas.check(schema["example"], schema)

    def test_what_is_no_answer_is_found(self):
        problem = {"$ref": "#/components/schemas/problem"}
        good = {"type": "/errors/busy", "status": 503, "title": "x", "detail": "y"}
        self.schemas.check(good, problem)
        for bad in ({**good, "more": 1}, {**good, "status": "503"}, {**good, "type": "busy"}, {"type": "/errors/busy"},
                    []):
            with self.subTest(bad=bad), self.assertRaises(openapi.Wrong):
                self.schemas.check(bad, problem)

    def test_yaml_outside_of_the_part_is_refused(self):
        for text in ("a: b: c", "a: 'x'", "a: &x 1", "a:\n", "a: 1\na: 2", "a: |\n  x", "on: 1", "a: yes", "a: [1",
                     "- 1\nb: 2", "a: {b}", "a: x # y", "a:\n  b: 1\n c: 2"):
            with self.subTest(text=text), self.assertRaises(openapi.Wrong):
                openapi.read_yaml(text)

    def test_what_is_written_reads_back(self):
        for value in ({"a": [1, -2, "x y", {"b": None}], "on": True, "c": {"d": {"e": "f: g"}}, "200": "#"},
                      {"a": [{"b": list(range(80)), "c": "d"}, {"e": "中文 / x"}]}):
            self.assertEqual(openapi.read_yaml(openapi.write_yaml(value)), value)


def write():
    with open(openapi.PATH, encoding="utf-8") as file:
        text = file.read()
    before, rest = text.split(BEGIN)
    with open(openapi.PATH, "w", encoding="utf-8") as file:
        file.write(before + BEGIN + verbs_text() + END + rest.split(END)[1])


if __name__ == "__main__":
    if sys.argv[2:] == ["--write"]:
        write()
    else:
        unittest.main(argv=sys.argv[:1], verbosity=1)
