#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Proves that each check of the house can fail: a good tree passes, each small breach is found.

A check that has lost its teeth (a pattern that matches nothing, a folder that moved) would pass
every day.
"""

import subprocess
import sys
import tempfile
import textwrap
import unittest
from pathlib import Path

SCRIPTS = Path(__file__).resolve().parents[2] / "scripts"
SPDX = "// SPDX-License-Identifier: Apache-2.0\n"

GOOD_TREE = {
    "include/sluice/size.h": SPDX + textwrap.dedent("""\
        #ifndef SLUICE_SIZE_H_
        #define SLUICE_SIZE_H_
        #include <cstdint>
        namespace sluice {
        inline std::uint32_t twice(std::uint32_t value) { return value * 2; }
        }  // namespace sluice
        #endif  // SLUICE_SIZE_H_
        """),
    "src/wire/field.cc": SPDX + textwrap.dedent("""\
        #include "base/types.h"

        // A comment may say 0.5 or float, and a string too.
        int field() { return 1'000; }
        """),
    "src/base/types.h": SPDX + "inline int types() { return 0; }\n",
    "test/unit/wire/field_test.cc": SPDX + '#include "base/types.h"\n\nTEST(Field, is_one) {}\n',
    "test/unit/wire/meson.build": "# SPDX-License-Identifier: Apache-2.0\nfiles('field_test.cc')\n",
    ".clang-format": "# SPDX-License-Identifier: Apache-2.0\nBasedOnStyle: Google\n",
}


def write_tree(root, changes):
    for name, text in {**GOOD_TREE, **changes}.items():
        if text is None:
            continue
        path = Path(root) / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")


def run_check(check, root, *arguments):
    return subprocess.run(
        [sys.executable, str(SCRIPTS / f"check_{check}.py"), "--root", str(root), *arguments],
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)


def make_archive(root, text):
    """Compiles the text into an archive and returns its path."""
    folder = Path(root)
    (folder / "unit.cc").write_text(text, encoding="utf-8")
    subprocess.run(["g++", "-std=c++20", "-O1", "-c", "unit.cc"], cwd=root, check=True)
    subprocess.run(["ar", "cr", "unit.a", "unit.o"], cwd=root, check=True)
    return folder / "unit.a"


class Checks(unittest.TestCase):
    """Each method names a check; each entry in it is one breach of its rule."""

    def expect_clean(self, check, changes=None):
        with tempfile.TemporaryDirectory() as root:
            write_tree(root, changes or {})
            done = run_check(check, root)
            self.assertEqual(done.returncode, 0, done.stdout)

    def expect_breach(self, check, changes, words):
        with tempfile.TemporaryDirectory() as root:
            write_tree(root, changes)
            done = run_check(check, root)
            self.assertEqual(done.returncode, 1, done.stdout)
            self.assertIn(words, done.stdout)

    def expect_archive(self, check, module, text, words):
        """`words` is what the check says of the archive, or None when it is to pass."""
        with tempfile.TemporaryDirectory() as root:
            write_tree(root, {})
            done = run_check(check, root, f"{module}={make_archive(root, text)}")
            self.assertEqual(done.returncode, 1 if words else 0, done.stdout)
            self.assertIn(words or "0 breaches", done.stdout)

    def test_layers(self):
        self.expect_clean("layers")
        for name, include, words in (
                ("src/base/up.h", '"wire/field.h"', "floor 1 from 0"),
                ("src/wire/side.h", '"trace/ring.h"', "floor 1 from 1"),
                ("src/transport/device.h", "<rte_mbuf.h>", "DPDK belongs to"),
                ("src/engine/tls.h", "<openssl/aead.h>", "belongs to crypto"),
                ("src/transport/fast.h", "<intel-ipsec-mb.h>", "belongs to crypto"),
                ("src/engine/talk.h", "<spdlog/spdlog.h>", "belongs to api, cli"),
                ("src/wire/clock.h", "<chrono>", "no clock"),
                ("src/wire/relative.h", '"../base/types.h"', "start at src/"),
                ("src/engine/public.h", "<sluice/engine.h>", "public headers"),
                ("include/sluice/leak.h", '"base/types.h"', "cannot be seen"),
                ("include/sluice/dpdk.h", "<rte_mbuf.h>", "DPDK belongs to"),
                ("examples/inside.cc", '"engine/port.h"', "cannot be seen"),
                ("src/attic/any.h", "<cstdint>", "no module of the house")):
            with self.subTest(name=name):
                self.expect_breach("layers", {name: f"{SPDX}#include {include}\n"}, words)

    def test_limits(self):
        self.expect_clean("limits")
        text = SPDX + "int f(int count) {\n" + "  ++count;\n" * 67 + "  return count;\n}\n"
        self.expect_clean("limits", {"src/wire/long.cc": text})
        text = text.replace("{\n", "{\n\n")
        self.expect_breach("limits", {"src/wire/long.cc": text}, "f has 71 lines")
        self.expect_breach("limits", {"src/wire/big.h": "//\n" * 801}, "801 lines")
        self.expect_breach("limits", {"perf/wide.cc": "//" + "x" * 99 + "\n"}, "101 columns")

    def test_pairs(self):
        self.expect_clean("pairs")
        self.expect_breach("pairs", {"src/wire/lonely.cc": SPDX},
                           "has no test/unit/wire/lonely_test.cc")
        self.expect_breach("pairs", {"test/unit/wire/field_test.cc": SPDX}, "holds no test")
        self.expect_breach("pairs", {"test/unit/wire/meson.build": "\n"}, "in no meson.build")

    def test_headers(self):
        self.expect_clean("headers")
        self.expect_breach("headers", {"include/sluice/bare.h": "std::string name();\n"},
                           "does not compile alone")
        self.expect_breach("headers", {"include/sluice/twice.h": "struct Twice {};\n"},
                           "does not compile alone")

    def test_text(self):
        self.expect_clean("text")
        for text, words in (
                ("int x;\n", "does not begin with"),
                (SPDX + "int x; \n", "blanks at the end"),
                (SPDX + "int x;", "one newline"),
                (SPDX + '// See "' + "/wo" + 'rk/notes".\n', "path of one machine"),
                (SPDX + "// From deb." + "debian.org.\n", "package mirror"),
                (SPDX + "// TO" + "DO\n", "work undone")):
            with self.subTest(words=words):
                self.expect_breach("text", {"src/wire/text.h": text}, words)

    def test_floating(self):
        self.expect_clean("floating")
        for text in ("float x;", "auto x = 1.5;", "auto x = 2e9;", "auto x = .5f;"):
            with self.subTest(text=text):
                self.expect_breach("floating", {"src/crypto/f.h": text + "\n"}, "floating point")
        self.expect_archive("floating", "wire", "int f(int x) { return x * 3 / 2; }\n", None)
        self.expect_archive("floating", "wire", "int f(int x) { return int(x * 1.5); }\n",
                            "floating-point instruction in f(int)")

    def test_symbols(self):
        self.expect_archive("symbols", "wire", "int* f() { return new int(1); }\n", None)
        for text in ("#include <time.h>\nlong f() { return time(nullptr); }\n",
                     "#include <chrono>\nauto f() { return std::chrono::steady_clock::now(); }\n",
                     "#include <random>\nint f() { return std::random_device()(); }\n",
                     "#include <cstdlib>\nint f() { return rand(); }\n",
                     "#include <cstdlib>\nchar* f() { return getenv(\"HOME\"); }\n",
                     "#include <cstdio>\nvoid f() { puts(\"x\"); }\n",
                     "#include <iostream>\nvoid f() { std::cout << 1; }\n",
                     "#include <unistd.h>\nlong f(char* p) { return read(0, p, 1); }\n",
                     "#include <thread>\nvoid f() { std::thread([] {}).join(); }\n",
                     "#include <mutex>\nstd::mutex m;\nvoid f() { m.lock(); }\n"):
            with self.subTest(text=text):
                self.expect_archive("symbols", "wire", text, "reaches outside")
        for name in ("transport", "trace"):
            outer = f"sluice::{name}"
            text = f"namespace {outer} {{ int g(); }}\nint f() {{ return {outer}::g(); }}\n"
            self.expect_archive("symbols", "wire", text, "calls up or sideways")

    def test_format(self):
        self.expect_clean("format")
        self.expect_breach("format", {"src/wire/loose.cc": SPDX + "int  f( ){return 0;}\n"},
                           "not laid out")

    PROTOCOL = textwrap.dedent("""\
        **MUST-W1** A field is one.

        ### 17.1 What holds

        - Nothing breaks it. `[unit_wire: Field.is_one; test_it: test_one]`
        - Nobody reads it,
          nor hears of it. `[unit_wire:
          Field.is_one]`

        ### 17.2 What does not

        - The rest.
        """)
    PROTOCOL_TREE = {
        "src/wire/PROTOCOL.md": PROTOCOL,
        "src/wire/field.cc": SPDX + "// PROTOCOL MUST-W1\n",
        "test/unit/wire/field_test.cc": SPDX + "// Verifies MUST-W1\nTEST(Field, is_one) {}\n",
        "test/unit/wire/meson.build":
            "x = executable('unit_wire',\n  'field_test.cc',\n  dependencies: [])\n",
        "test/test_it.py": "class It:\n    def test_one(self):\n        pass\n",
    }

    def protocol_of(self, changes):
        """What the check says of a tree with these changes."""
        with tempfile.TemporaryDirectory() as root:
            write_tree(root, {**self.PROTOCOL_TREE, **changes})
            done = subprocess.run([sys.executable, str(SCRIPTS / "check_protocol.py"), root],
                                  stdout=subprocess.PIPE, text=True, check=False)
            return done.returncode, done.stdout

    def test_protocol(self):
        status, said = self.protocol_of({})
        self.assertEqual(status, 0, said)
        self.assertIn("2 claims", said)
        specification = "src/wire/PROTOCOL.md"
        for change, complaint in (
                ({specification: self.PROTOCOL.replace("W1", "W2")}, "MUST-W2"),
                ({specification: self.PROTOCOL.replace("is_one]", "is_two]")}, "no test"),
                ({specification: self.PROTOCOL.replace("test_one", "test_two")}, "no test"),
                ({specification: self.PROTOCOL.replace("unit_wire:", "unit_none:")}, "no test"),
                ({specification: self.PROTOCOL.replace("`[unit_wire: Field", "(Field")},
                 "no test is named"),
                ({specification: self.PROTOCOL.replace("What holds", "Claims")}, "no section"),
                ({"src/wire/field.cc": SPDX}, "not cited"),
                ({"test/unit/wire/field_test.cc": SPDX + "TEST(Field, is_one) {}\n"}, "no test")):
            with self.subTest(change=change):
                status, said = self.protocol_of(change)
                self.assertEqual(status, 1, said)
                self.assertIn(complaint, said)

    def test_nothing_to_check_is_a_failure(self):
        with tempfile.TemporaryDirectory() as root:
            for check in ("layers", "limits", "pairs", "headers", "text", "floating", "symbols",
                          "format"):
                with self.subTest(check=check):
                    self.assertEqual(run_check(check, root).returncode, 1)


if __name__ == "__main__":
    unittest.main(verbosity=2)
