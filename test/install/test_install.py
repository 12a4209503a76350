#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Installs the product into a temporary prefix and uses it from there as a stranger would.

usage: test_install.py BUILD_DIRECTORY

Looks at what the library exports and needs, builds programs outside the tree with nothing but
pkg-config, and runs them. One of them uses OpenSSL 3 itself, before, while and after Sluice runs.
"""

import os
import re
import shutil
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

HERE = Path(__file__).resolve().parent
BUILD = Path(sys.argv.pop()).resolve() if len(sys.argv) > 1 else None
ALLOWED_NAMES = re.compile(r"(non-virtual thunk to |typeinfo (name )?for |vtable for |VTT for )?"
                           r"sluice::(?!base::|wire::|crypto::|transport::|engine::)")
FOREIGN_LIBRARIES = re.compile(r"lib(crypto|ssl|rte_\w+|IPSec_MB)\b")


def output(*command, **options):
    done = subprocess.run([str(word) for word in command], stdin=subprocess.DEVNULL,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                          errors="replace", check=False, **options)
    if done.returncode != 0:
        raise AssertionError(f"{command[0]} ended with {done.returncode}:\n{done.stdout}")
    return done.stdout


class Installed(unittest.TestCase):
    """One installation, used by every test."""

    @classmethod
    def setUpClass(cls):
        cls.folder = Path(tempfile.mkdtemp(prefix="sluice-install-"))
        stage = cls.folder / "stage"
        output("meson", "install", "-C", BUILD, "--no-rebuild", "--quiet", "--destdir", stage)
        # The installation is moved away from where it was made: it must not know its own place.
        pc = next(stage.rglob("sluice.pc"))
        cls.prefix = cls.folder / "prefix"
        (pc.parents[3] if pc.parents[2].name == "lib" else pc.parents[2]).rename(cls.prefix)
        cls.libdir = next(cls.prefix.rglob("libsluice.so")).parent
        cls.pkg_config = dict(os.environ, PKG_CONFIG_PATH=str(cls.libdir / "pkgconfig"))

    @classmethod
    def tearDownClass(cls):
        shutil.rmtree(cls.folder, ignore_errors=True)

    def flags(self, *packages):
        words = output("pkg-config", "--cflags", "--libs", *packages, env=self.pkg_config).split()
        # DPDK's headers give warnings in C++20, of which no program is to blame.
        return ["-isystem" + word[2:] if word.startswith("-I") and "dpdk" in word else word
                for word in words]

    def build_program(self, source, *packages):
        program = self.folder / source.stem
        output(os.environ.get("CXX", "c++"), "-Wall", "-Wextra", "-Werror", "-O1", source, "-o",
               program, *self.flags(*packages), f"-Wl,-rpath,{self.libdir}")
        return program

    def test_everything_is_installed(self):
        self.assertTrue(os.access(self.prefix / "bin" / "sluice", os.X_OK))
        self.assertTrue((self.libdir / "libsluice-boringssl.so").is_file())
        headers = {path.name for path in (self.prefix / "include" / "sluice").glob("*.h")}
        self.assertEqual(headers, {path.name for path in
                                   (HERE.parents[1] / "include" / "sluice").glob("*.h")})

    def test_soname_is_a_number_of_its_own(self):
        dynamic = output("readelf", "-dW", self.libdir / "libsluice.so")
        self.assertRegex(dynamic, r"SONAME.*\[libsluice\.so\.\d+\]")

    def need_shared_dpdk(self):
        libdir = Path(output("pkg-config", "--variable=libdir", "libdpdk").strip())
        if not (libdir / "librte_eal.so").exists():
            self.skipTest("DPDK has no shared libraries here")

    def exported(self, library):
        names = output("nm", "-DC", "--defined-only", self.libdir / library).splitlines()
        return [line.split(" ", 2)[2] for line in names]

    def test_only_our_public_names_are_exported(self):
        names = self.exported("libsluice.so")
        self.assertGreater(len(names), 10)
        self.assertEqual([name for name in names if not ALLOWED_NAMES.match(name)], [])

    def test_the_second_library_has_the_hosts_dpdk_and_no_tls_library(self):
        self.need_shared_dpdk()
        self.assertEqual(self.exported("libsluice-dpdk.so"), self.exported("libsluice.so"))
        dynamic = output("readelf", "-dW", self.libdir / "libsluice-dpdk.so")
        self.assertRegex(dynamic, r"SONAME.*\[libsluice-dpdk\.so\.\d+\]")
        needed = re.findall(r"NEEDED.*\[(.*)\]", dynamic)
        self.assertIn("librte_eal", " ".join(needed))
        self.assertEqual([one for one in needed
                          if FOREIGN_LIBRARIES.match(one) and not one.startswith("librte_")], [])

    def test_no_dpdk_and_no_tls_library_is_needed(self):
        for name in ("lib", "bin"):
            target = self.libdir / "libsluice.so" if name == "lib" else self.prefix / "bin/sluice"
            needed = re.findall(r"NEEDED.*\[(.*)\]", output("readelf", "-dW", target))
            self.assertEqual([one for one in needed if FOREIGN_LIBRARIES.match(one)], [])

    def test_the_program_runs_where_it_was_moved(self):
        path = f"{self.prefix / 'bin'}:{os.environ['PATH']}"
        said = output("sluice", "loopback", "--count=2000", f"--file={HERE / 'embed.cc'}",
                      cwd=self.folder, env=dict(os.environ, PATH=path), timeout=60)
        self.assertIn("libsluice-boringssl.so", said)

    def test_an_example_outside_the_tree(self):
        program = self.build_program(HERE / "embed.cc", "sluice")
        self.assertIn("ok", output(program, cwd=self.folder, timeout=60))

    def test_beside_openssl_3(self):
        program = self.build_program(HERE / "embed_openssl.cc", "sluice", "libcrypto")
        self.assertIn("ok", output(program, cwd=self.folder, timeout=60))

    def test_an_example_on_a_shared_dpdk_that_sluice_brings_up(self):
        self.need_shared_dpdk()
        program = self.build_program(HERE / "embed.cc", "sluice-dpdk")
        self.assertIn("ok", output(program, cwd=self.folder, timeout=60))

    def test_beside_openssl_3_on_the_dpdk_of_the_program(self):
        self.need_shared_dpdk()
        program = self.build_program(HERE / "embed_dpdk.cc", "sluice-dpdk", "libdpdk", "libcrypto")
        self.assertIn("ok", output(program, cwd=self.folder, timeout=60))


if __name__ == "__main__":
    unittest.main(verbosity=2)
