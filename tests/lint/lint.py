# SPDX-License-Identifier: Apache-2.0
"""usage: ./dev lint [STEP...]

Runs all steps, or those named, and ends with status 1 when any found something.
What clang-tidy found clean is remembered in build/lint by the contents of the file and
of what it includes, so that a second run is quick.
"""
import ast
import functools
import glob
import hashlib
import json
import os
import re
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import floors  # noqa: E402

CACHE = "build/lint"
# The flags of cmake/Options.cmake that clang knows; clang-tidy reports its warnings too.
# -Wno-string-conversion: assert(!"why") is how an unreachable place says why.
# -Wno-string-concatenation: long texts in tables are wrapped on purpose.
C_FLAGS = (
    "-std=c17 -I. -D_GNU_SOURCE -DCOLDCHAIN_VERSION=\"0\" -DCOLDCHAIN_RULES_DIR=\"alerts/profiles\" "
    "-Wall -Wextra -Wpedantic -Wshadow "
    "-Wconversion -Wstrict-prototypes -Wold-style-definition -Wcast-qual -Wwrite-strings "
    "-Wpointer-arith -Wvla -Wformat=2 -Wundef -Wimplicit-fallthrough -Wno-string-conversion -Wno-string-concatenation").split()
# What is not in the compiler's own search path.
LIBRARIES = ["cairo"]
SOURCE = tuple(folder + "/" for folder in floors.FLOORS)
C_FOLDERS = SOURCE + ("tests/", "bench/")
HAS_SPDX = re.compile(r"\.(c|h|def|py|sh|cmake|js|mjs|css|ya?ml)$|(^|/)(CMakeLists\.txt|dev|run)$")
NO_SPDX = ("tests/data/", "tests/fuzz/corpus/")
BANNED = re.compile(r"(?<![\w>.])(strcpy|strcat|sprintf|vsprintf|strtok|gets|atoi|atol"
                    r"|atof|alloca)\s*\(")
MARKDOWN_LINK = re.compile(r"\]\((?!https?:|#|mailto:)([^)#\s]+)")


def sh(*args, **kwargs):
    return subprocess.run(args, capture_output=True, text=True, stdin=subprocess.DEVNULL, **kwargs)


@functools.lru_cache
def c_flags():
    return tuple(C_FLAGS + sh("pkg-config", "--cflags-only-I", *LIBRARIES).stdout.split())


def our_files():
    listed = sh("git", "ls-files", "-co", "--exclude-standard")
    if listed.returncode == 0:
        names = listed.stdout.splitlines()
    else:  # a tree without git, such as an unpacked archive
        names = [os.path.relpath(os.path.join(where, name)) for where, _, found in os.walk(".")
                 for name in found if not where.startswith("./build")]
    return sorted(name for name in names if os.path.isfile(name))


def c_files(files, endings=(".c", ".h")):
    return [f for f in files if f.startswith(C_FOLDERS) and f.endswith(endings)]


def read(path):
    with open(path, encoding="utf-8", errors="replace") as file:
        return file.read()


def in_parallel(function, items):
    with ThreadPoolExecutor(os.cpu_count() or 2) as pool:
        return list(pool.map(function, items))


# --- the steps: each returns a list of findings ---------------------------------------


def step_format(files):
    """clang-format would change nothing"""
    names = c_files(files)
    batches = [names[i:i + 20] for i in range(0, len(names), 20)]
    results = in_parallel(lambda batch: sh("clang-format", "--dry-run", "-Werror", *batch), batches)
    return [line for result in results for line in result.stderr.splitlines() if ": error:" in line]


def text_findings(path, text):
    if HAS_SPDX.search(path) and not path.startswith(NO_SPDX) \
            and "SPDX-License-Identifier: Apache-2.0" not in text[:300]:
        yield f"{path}:1: no SPDX line"
    if path.endswith((".c", ".h")) and path.startswith(C_FOLDERS):
        code = floors.bare(text)
        for match in BANNED.finditer(code):
            yield f"{path}:{floors.line_of(code, match.start())}: {match.group(1)}() is not used here"
        if "\t" in text:
            yield f"{path}: has tabs"
    if path.endswith(".md"):
        for match in MARKDOWN_LINK.finditer(text):
            if not os.path.exists(os.path.join(os.path.dirname(path), match.group(1))):
                line = floors.line_of(text, match.start())
                yield f"{path}:{line}: there is no {match.group(1)}"


def step_text(files):
    """licence lines, banned calls, links in documents, scripts and JSON that parse"""
    findings = []
    for path in files:
        if path.startswith(NO_SPDX) or path.endswith((".png", ".woff2", ".gz", ".bin")):
            continue
        text = read(path)
        findings += text_findings(path, text)
        try:
            if path.endswith(".py"):
                ast.parse(text, path)
            elif path.endswith(".json"):
                json.loads(text)
        except (SyntaxError, ValueError) as error:
            findings.append(f"{path}: {error}")
        if text.startswith(("#!/usr/bin/env bash", "#!/bin/bash", "#!/bin/sh")):
            findings += sh("bash", "-n", path).stderr.splitlines()
    return findings


def step_floors(files):
    """includes go down the floors, one door for each library, pure folders are pure"""
    return floors.check(files)


def header_findings(path):
    flags = [flag for flag in c_flags() if not flag.startswith("-DCOLDCHAIN")]
    result = subprocess.run(["gcc", *flags, "-Werror", "-fsyntax-only", "-x", "c", "-"],
                            input=f'#include "{path}"\nint main(void);\n', capture_output=True, text=True)
    return result.stderr.splitlines() if result.returncode else []


def step_headers(files):
    """every header compiles alone"""
    return sum(in_parallel(header_findings, c_files(files, (".h",))), [])


def example_findings(path):
    program = "coldchain-" + re.match(r"[a-z]*", os.path.basename(path)).group()
    binary = f"build/dev/bin/{program}"
    if program not in ("coldchain-agent", "coldchain-collector"):
        return [f"{path}: its name does not begin with agent or collector"]
    if not os.path.exists(binary):
        return [f"{path}: {binary} is not built"]
    result = sh(binary, "--config", path, "--check")
    return [] if result.returncode == 0 else [f"{path}: --check failed: {result.stderr.strip()}"]


def step_examples(files):
    """every configuration in examples/ passes --check; rules are tried by tests/cli/backtest_cli_test.py"""
    names = [f for f in files if f.startswith("examples/") and f.endswith((".yaml", ".yml"))
             and not f.startswith("examples/rules/")]
    return sum(in_parallel(example_findings, names), [])


def step_cppcheck(files):
    """cppcheck (suppressions with reasons in tests/lint/cppcheck.suppressions)"""
    os.makedirs(f"{CACHE}/cppcheck", exist_ok=True)
    names = [f for f in c_files(files, (".c",)) if f.startswith(SOURCE)]
    if not names:
        return []
    result = sh("cppcheck", f"-j{os.cpu_count()}", "--quiet", "--std=c11", "-I.", "-D_GNU_SOURCE",
                "-DCOLDCHAIN_VERSION=\"0\"",
                "--include=tests/lint/cppcheck.h",
                "--enable=warning,performance,portability",
                "--inline-suppr", "--suppressions-list=tests/lint/cppcheck.suppressions",
                f"--cppcheck-build-dir={CACHE}/cppcheck", "--error-exitcode=1",
                "--template={file}:{line}: {severity}: {message} [{id}]", *names)
    return result.stderr.splitlines() if result.returncode else []


def closure(path, known):
    """The file and what it includes of ours, by name."""
    if path not in known:
        known[path] = {path}
        for match in floors.INCLUDE.finditer(read(path)):
            header = match.group(2)
            if match.group(1) == '"' and os.path.isfile(header):
                known[path] |= closure(header, known)
    return known[path]


def tidy_key(path, known, settings):
    digest = hashlib.sha256(settings)
    for name in sorted(closure(path, known)):
        digest.update(name.encode() + b"\0" + read(name).encode() + b"\0")
    return digest.hexdigest()


def tidy_findings(path, mark):
    begun = time.monotonic()
    # The analyzer follows paths, which costs time: it is for what is shipped.
    is_source = path.startswith(SOURCE)
    checks = [] if is_source else ["--checks=-clang-analyzer-*"]
    extra = "-Wmissing-prototypes" if is_source else "-Wno-missing-prototypes"
    result = sh("clang-tidy", "--quiet", *checks, path, "--", *c_flags(), extra)
    lines = [line for line in result.stdout.splitlines() if ": error: " in line]
    if result.returncode == 0:
        with open(mark, "w", encoding="utf-8"):
            pass
        return [], time.monotonic() - begun
    return lines or [f"{path}: {result.stderr.strip()}"], time.monotonic() - begun


def step_tidy(files):
    """clang-tidy (.clang-tidy says what and why), with the warnings of clang"""
    os.makedirs(f"{CACHE}/tidy", exist_ok=True)
    settings = (read(".clang-tidy") + " ".join(C_FLAGS) + sh("clang-tidy", "--version").stdout).encode()
    known, todo, keys = {}, [], set()
    for path in c_files(files, (".c",)):
        key = tidy_key(path, known, settings)
        keys.add(key)
        mark = f"{CACHE}/tidy/{key}"
        if not os.path.exists(mark):
            todo.append((path, mark))
    for old in glob.glob(f"{CACHE}/tidy/*"):  # of files as they no longer are
        if os.path.basename(old) not in keys and time.time() - os.path.getmtime(old) > 7 * 86400:
            os.unlink(old)
    todo.sort(key=lambda job: -os.path.getsize(job[0]))  # the long ones first
    results = in_parallel(lambda job: tidy_findings(*job), todo)
    if todo and os.environ.get("LINT_TIMES"):
        for seconds, path in sorted(((r[1], j[0]) for r, j in zip(results, todo)), reverse=True)[:10]:
            print(f"    {seconds:6.1f} s {path}")
    return [line for result in results for line in result[0]]


STEPS = {
    "format": step_format,
    "text": step_text,
    "floors": step_floors,
    "headers": step_headers,
    "examples": step_examples,
    "cppcheck": step_cppcheck,
    "tidy": step_tidy,
}


def main(wanted):
    if "--help" in wanted or "-h" in wanted:
        print(__doc__)
        for name, step in STEPS.items():
            print(f"  {name:9} {step.__doc__}")
        return 0
    unknown = [name for name in wanted if name not in STEPS]
    if unknown:
        print(f"lint: there is no step {unknown[0]}; there are: {' '.join(STEPS)}")
        return 2
    os.makedirs(CACHE, exist_ok=True)
    files, failed = our_files(), []
    for name in wanted or STEPS:
        begun = time.monotonic()
        findings = STEPS[name](files)
        verdict = "fine" if not findings else f"{len(findings)} lines"
        print(f"lint: {name:9} {verdict}  ({time.monotonic() - begun:.1f} s)", flush=True)
        if findings:
            failed.append(name)
            print("\n".join("  " + line for line in findings[:200]), flush=True)
    print(f"lint: failed: {' '.join(failed)}" if failed else "lint: fine")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
