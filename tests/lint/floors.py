# SPDX-License-Identifier: Apache-2.0
"""The floors of the house, held by a script: who may include what.

Includes go down the floors only; each third-party header has one door, the folder that
hides the library from the rest; pure folders do no I/O, read no clock and start no
thread. To use another library, give its header a door below.
"""
import os
import re

FLOORS = {
    "base": 1,
    "telemetry": 2, "freshness": 2, "journal": 2, "net": 2,
    "alerts": 3,
    "edge-agent": 4, "collector": 4,
    "coldchainctl": 5,
}
# Includes allowed between folders of one floor.
SIDEWAYS = {("freshness", "telemetry")}
PURE = {"telemetry", "freshness", "alerts"}
# What of base/ is impure. base/log.h is for log_fatal(), which is an assert that says why.
IMPURE_BASE = {"base/clock.h", "base/loop.h", "base/file.h"}

# Third-party header -> its door: the one folder (with what is below it) that includes it.
DOORS = {
    "MQTTAsync.h": "net", "MQTTProperties.h": "net", "MQTTReasonCodes.h": "net",
    "curl/curl.h": "net",
    "openssl/bio.h": "net", "openssl/err.h": "net", "openssl/pem.h": "net", "openssl/ssl.h": "net",
    "openssl/x509v3.h": "net",
    "sanitizer/asan_interface.h": "base",
    "sodium.h": "base",
    "yaml.h": "base",
    "zlib.h": "base",
    "cairo.h": "coldchainctl", "cairo-svg.h": "coldchainctl",
    "systemd/sd-daemon.h": "base",
    "sqlite3.h": "collector/store",
    "microhttpd.h": "collector/api",
    "gnutls/gnutls.h": "collector/api", "gnutls/abstract.h": "collector/api",
    "jansson.h": "",  # our JSON: everywhere
}

# Headers of C and of Linux that pure folders may use: no I/O, no clock, no threads.
PURE_SYSTEM = {
    "assert.h", "ctype.h", "errno.h", "float.h", "inttypes.h", "limits.h", "math.h",
    "stdalign.h", "stdarg.h", "stdbool.h", "stddef.h", "stdint.h", "stdio.h", "stdlib.h",
    "string.h", "strings.h", "endian.h",
}
SYSTEM = PURE_SYSTEM | {
    "dirent.h", "fcntl.h", "getopt.h", "grp.h", "libgen.h", "locale.h", "malloc.h", "netdb.h", "poll.h",
    "pthread.h", "pwd.h", "sched.h", "semaphore.h", "setjmp.h", "signal.h", "spawn.h",
    "stdatomic.h", "syslog.h", "termios.h", "time.h", "unistd.h",
}
SYSTEM_FOLDERS = ("sys/", "linux/", "netinet/", "arpa/", "net/if")

IMPURE_CALL = re.compile(
    r"(?<![\w>.])(time|clock|clock_gettime|gettimeofday|timespec_get|localtime(?:_r)?"
    r"|gmtime(?:_r)?|mktime|fopen|freopen|printf|fprintf|puts|fputs|fputc|putchar|perror"
    r"|fread|fwrite|fgets|remove|rename|tmpfile|system|getenv|setenv|rand|srand|random"
    r"|log_(?:error|warn|info|debug|write)|signal|exit|atexit|pthread_\w+)\s*\(")
INCLUDE = re.compile(r'^[ \t]*#[ \t]*include[ \t]*([<"])([^>"]+)[>"]', re.M)


def bare(text):
    """The code without comments and texts; line numbers are kept."""
    def blank(match):
        return "\n" * match.group(0).count("\n")
    text = re.sub(r"/\*.*?\*/", blank, text, flags=re.S)
    text = re.sub(r"//[^\n]*", "", text)
    return re.sub(r'"(?:\\.|[^"\\\n])*"', '""', text)


def line_of(text, offset):
    return text.count("\n", 0, offset) + 1


def check_own(folder, other, header):
    """An include of one of our headers: what is wrong with it, or None."""
    if folder in PURE and header in IMPURE_BASE:
        return f"{folder} is pure and may not include {header}"
    if other == folder:
        return None
    if FLOORS[other] > FLOORS[folder]:
        return f"climbs a floor: {folder} may not include {header}"
    if FLOORS[other] == FLOORS[folder] and (folder, other) not in SIDEWAYS:
        return f"goes across the floor: {folder} may not include {header}"
    return None


def check_foreign(path, folder, header):
    """An include in <>: what is wrong with it, or None."""
    if header in DOORS:
        door = DOORS[header]
        inside = not door or path.startswith(door + "/")
        return None if inside else f"{header} has its door in {door}/"
    if folder in PURE:
        return None if header in PURE_SYSTEM else f"{folder} is pure and may not include {header}"
    if header in SYSTEM or header.startswith(SYSTEM_FOLDERS):
        return None
    return f"{header} has no door: see tests/lint/floors.py"


def check_file(path, text):
    """Yields (line, what is wrong) for one file of a floor."""
    folder = path.split("/")[0]
    for match in INCLUDE.finditer(text):
        header, line = match.group(2), line_of(text, match.start())
        first = header.split("/")[0]
        if ".." in header.split("/"):
            yield line, f"includes are written from the root: {header}"
        elif match.group(1) == "<":
            problem = check_foreign(path, folder, header)
            if problem:
                yield line, problem
        elif first in FLOORS:
            problem = check_own(folder, first, header)
            if problem:
                yield line, problem
        elif "/" not in header and not header.endswith(".def"):
            yield line, f"includes are written from the root: {header}"
    if folder in PURE and path.endswith(".c"):
        code = bare(text)
        for match in IMPURE_CALL.finditer(code):
            yield line_of(code, match.start()), f"{folder} is pure and may not call {match.group(1)}()"


def check(files):
    """Returns a list of 'file:line: what is wrong' for all the files given."""
    problems = []
    for path in files:
        if path.split("/")[0] not in FLOORS or not path.endswith((".c", ".h")):
            continue
        with open(path, encoding="utf-8") as file:
            text = file.read()
        problems += [f"{path}:{line}: {what}" for line, what in check_file(path, text)]
    return problems


if __name__ == "__main__":
    found = [os.path.relpath(os.path.join(where, name)) for top in FLOORS
             for where, _, names in os.walk(top) for name in names]
    lines = check(sorted(found))
    print("\n".join(lines) or "the floors hold")
    raise SystemExit(1 if lines else 0)
