#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Manual pages and completions: made of the table of commands, sound, and complete.

usage: manuals_cli_test.py COLDCHAINCTL BUILD_DIR
"""
import os
import re
import shutil
import subprocess
import sys
import tempfile
import unittest

PROGRAM, BUILD = map(os.path.abspath, sys.argv[1:3])
SHARE = os.path.join(BUILD, "share")


def run(*args, **more):
    return subprocess.run([PROGRAM, *args], capture_output=True, text=True, timeout=60, check=False, **more)


def names():
    return [line.split()[0] for line in run("--help").stdout.splitlines() if line.startswith("  ")]


class Pages(unittest.TestCase):
    def pages(self):
        for section in ("man1", "man5"):
            folder = os.path.join(SHARE, "man", section)
            for name in sorted(os.listdir(folder)):
                with open(os.path.join(folder, name), encoding="utf-8") as file:
                    yield name, os.path.join(folder, name), file.read()

    def test_there_is_a_page_for_every_command_and_daemon(self):
        want = {f"coldchainctl-{name}.1" for name in names()}
        want |= {"coldchainctl.1", "coldchain-agent.1", "coldchain-collector.1", "coldchain-agent.yaml.5",
                 "coldchain-collector.yaml.5"}
        self.assertLessEqual(want, {name for name, _, _ in self.pages()})

    @unittest.skipUnless(shutil.which("man"), "man (package man-db) is not installed")
    def test_man_has_nothing_to_warn_of(self):
        for name, path, _ in self.pages():
            with self.subTest(page=name):
                done = subprocess.run(["man", "--warnings", "-l", path], capture_output=True, text=True, check=False,
                                      env={**os.environ, "MANPAGER": "cat", "MANWIDTH": "80", "LC_ALL": "C.UTF-8"})
                self.assertEqual((done.returncode, done.stderr), (0, ""))
                self.assertIn("NAME", done.stdout)

    def test_every_command_is_described_by_the_table(self):
        for name in names():
            with self.subTest(name=name):
                page = run("man", name).stdout
                for section in ("SYNOPSIS", "DESCRIPTION", "EXAMPLES", "EXIT STATUS"):
                    self.assertIn(f".SH {section}\n", page)
                self.assertRegex(page, r"EXIT STATUS\n\.TP\n0\n")
                for option in re.findall(r"^  --([\w-]+)", run(name, "--help").stdout, re.M):
                    self.assertIn("\\fB\\-\\-" + option.replace("-", "\\-"), page)

    def test_every_option_says_what_it_is_for(self):
        for name in names():
            text = run(name, "--help").stdout
            rows = re.findall(r"^  (--\S.*)\n(.*)", text, re.M)
            for row, following in rows:
                with self.subTest(name=name, option=row):
                    self.assertTrue(re.search(r"\S {2,}\S", row) or following.startswith(" " * 20), "no help")

    def test_a_page_for_what_is_not_there(self):
        done = run("man", "zonnes")
        self.assertEqual(done.returncode, 2)
        self.assertIn("no command 'zonnes'", done.stderr)


class Completion(unittest.TestCase):
    def complete(self, *words):
        """What bash offers for the last word."""
        quoted = " ".join(f"'{word}'" for word in words)
        script = (f"source '{SHARE}/bash-completion/completions/coldchainctl'\n"
                  f"COMP_WORDS=(coldchainctl {quoted}); COMP_CWORD={len(words)}\n_coldchainctl\n"
                  'printf "%s\\n" "${COMPREPLY[@]}"\n')
        with tempfile.TemporaryDirectory() as folder:
            with open(os.path.join(folder, "a.csv"), "w", encoding="utf-8"):
                pass
            done = subprocess.run(["bash", "--norc", "-c", script], capture_output=True, text=True, check=True,
                                  cwd=folder)
        self.assertEqual(done.stderr, "")
        return done.stdout.split()

    def test_bash_offers_commands_verbs_options_and_files(self):
        self.assertEqual(self.complete("readi"), ["readings"])
        self.assertEqual(self.complete("journal", "ver"), ["verify"])
        self.assertEqual(self.complete("readings", "--chan"), ["--channel"])
        self.assertEqual(self.complete("readings", "--lang", ""), ["zh", "en"])
        self.assertEqual(self.complete("audit", "--no-"), ["--no-color"])
        self.assertEqual(self.complete("freshness", "--csv", "a"), ["a.csv"])
        self.assertEqual(self.complete("readings", "--channel", ""), [])
        self.assertEqual(set(self.complete("")), set(names()) | {"help", "--help", "--version"})

    def test_every_option_is_offered_by_every_shell(self):
        zsh, fish = (run("completion", shell).stdout for shell in ("zsh", "fish"))
        for name in names():
            for option in re.findall(r"^  --([\w-]+)", run(name, "--help").stdout, re.M):
                with self.subTest(name=name, option=option):
                    self.assertIn("--" + option, self.complete(name, "--" + option))
                    self.assertIn(f"'--{option}[", zsh)
                    self.assertIn(f"from {name}' -l {option} ", fish + " ")

    def test_zsh_and_fish_take_their_scripts(self):
        for shell, file in (("zsh", "zsh/site-functions/_coldchainctl"),
                            ("fish", "fish/vendor_completions.d/coldchainctl.fish")):
            if shutil.which(shell) is None:
                print(f"# {shell} is not installed: its script is not run")
                continue
            done = subprocess.run([shell, "-n", os.path.join(SHARE, file)], capture_output=True, text=True, check=False)
            self.assertEqual((done.returncode, done.stderr), (0, ""))


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1], verbosity=1)
