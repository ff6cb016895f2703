# SPDX-License-Identifier: Apache-2.0
"""Writes YAML: maps, lists, texts, numbers, truth. Reading it is the programs' business."""
import json


def scalar(value):
    if value is True or value is False:
        return "true" if value else "false"
    if isinstance(value, (int, float)):
        return repr(value)
    return json.dumps(str(value), ensure_ascii=False)


def block(value, indent):
    pad = "  " * indent
    if isinstance(value, dict):
        for key, inner in value.items():
            if inner is None:
                continue
            if isinstance(inner, (dict, list)) and inner:
                yield f"{pad}{key}:"
                yield from block(inner, indent + 1)
            elif not isinstance(inner, (dict, list)):
                yield f"{pad}{key}: {scalar(inner)}"
    else:
        for inner in value:
            if isinstance(inner, dict):
                lines = list(block(inner, indent + 1))
                yield f"{pad}- {lines[0].strip()}"
                yield from lines[1:]
            else:
                yield f"{pad}- {scalar(inner)}"


def format_yaml(value, heading=""):
    """None and empty lists are left out."""
    comment = "".join(f"# {line}\n" for line in heading.splitlines())
    return comment + "\n".join(block(value, 0)) + "\n"
