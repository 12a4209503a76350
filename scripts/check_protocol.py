#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Holds PROTOCOL.md, code and tests together.

Every numbered requirement of src/wire/PROTOCOL.md must be cited in code (`PROTOCOL MUST-W1` in a
comment under src/) and verified by a test (`Verifies MUST-W1` in a comment under test/), and no
citation may name a requirement that PROTOCOL.md does not have. Each claim of its section "What
holds" names tests, `[program: Suite.test, ...; test_file: test_name]`, all of which exist. Prints
one line for each violation and exits with 1, or one line of summary and exits with 0.
"""

import argparse
import pathlib
import re
import sys

ID = re.compile(r"MUST-([A-Z])(\d+)")
DEFINITION = re.compile(r"^\*\*(MUST-[A-Z]\d+)\*\*", re.MULTILINE)
LIST = r"\s+((?:MUST-[A-Z]\d+)(?:(?:\s*,\s*|\s+and\s+)MUST-[A-Z]\d+)*)"
CODE = re.compile(r"\bPROTOCOL" + LIST)
TEST = re.compile(r"\bVerifies" + LIST)
CODE_SUFFIXES = {".h", ".cc"}
TEST_SUFFIXES = {".h", ".cc", ".py", ".sh"}


CLAIMS = re.compile(r"^### [\d.]+ What holds$(.*?)^###? ", re.MULTILINE | re.DOTALL)
PROOF = re.compile(r"`\[([^\]]*)\]`")
GTEST = re.compile(r"\bTEST(?:_F|_P)?\(\s*(\w+)\s*,\s*(\w+)\s*\)")


def sort_key(must):
    match = ID.fullmatch(must)
    return match.group(1), int(match.group(2))


def text_of(path):
    # A citation may run over the end of a comment line.
    text = path.read_text(encoding="utf-8", errors="replace")
    return re.sub(r"[ \t]*\n[ \t]*(?://|#)[ \t]*", " ", text)


def files_under(root, suffixes):
    for path in sorted(root.rglob("*")):
        if path.is_file() and path.suffix in suffixes:
            yield path


def citations(root, suffixes, pattern):
    """Maps each cited id to the files that cite it by `pattern`."""
    found = {}
    for path in files_under(root, suffixes):
        for listed in pattern.findall(text_of(path)):
            for letter, number in ID.findall(listed):
                found.setdefault(f"MUST-{letter}{number}", set()).add(path)
    return found


def mentions(roots, suffixes):
    """Every id named anywhere in code or tests, so that a misspelt one is found as well."""
    found = {}
    for root in roots:
        for path in files_under(root, suffixes):
            for letter, number in ID.findall(text_of(path)):
                found.setdefault(f"MUST-{letter}{number}", set()).add(path)
    return found


def programs_of_tests(root):
    """Maps each test program to the names of its tests: those of the sources that Meson lists for
    it, and the functions of a Python file."""
    found = {}
    for build in sorted((root / "test").rglob("meson.build")):
        text = build.read_text(encoding="utf-8")
        executables = re.findall(r"executable\('(\w+)',(.*?)\bdependencies:", text, re.DOTALL)
        for name, listed in executables:
            sources = (build.parent / source for source in re.findall(r"'([\w/]+\.cc)'", listed))
            found[name] = {f"{suite}.{test}" for source in sources if source.is_file()
                           for suite, test in GTEST.findall(source.read_text(encoding="utf-8"))}
    for path in sorted((root / "test").rglob("test_*.py")):
        text = path.read_text(encoding="utf-8")
        found[path.stem] = set(re.findall(r"^    def (test_\w+)\(", text, re.MULTILINE))
    return found


def claim_problems(root, specification):
    """What is wrong with the claims of the section on threats, and how many of them there are."""
    section = CLAIMS.search(specification)
    if section is None:
        return ["PROTOCOL.md: no section \"What holds\" found"], 0
    programs = programs_of_tests(root)
    problems = []
    claims = re.findall(r"^- .*?(?=^- |^$|\Z)", section.group(1), re.MULTILINE | re.DOTALL)
    for claim in claims:
        words = " ".join(claim.split())
        proofs = PROOF.findall(words)
        if not proofs:
            problems.append(f"PROTOCOL.md: no test is named for: {words[2:60]}")
        for proof in "; ".join(proofs).split("; "):
            program, _, tests = proof.partition(": ")
            for test in tests.split(", ") if proof else ():
                if test not in programs.get(program, ()):
                    problems.append(f"PROTOCOL.md: {program} has no test {test}")
    return problems, len(claims)


def problems_of(root):
    specification = root / "src" / "wire" / "PROTOCOL.md"
    defined = DEFINITION.findall(specification.read_text(encoding="utf-8"))
    known = set(defined)
    problems = [f"{must}: defined twice in PROTOCOL.md"
                for must in sorted(known, key=sort_key) if defined.count(must) > 1]
    cited = citations(root / "src", CODE_SUFFIXES, CODE)
    verified = citations(root / "test", TEST_SUFFIXES, TEST)
    for must in sorted(known, key=sort_key):
        if must not in cited:
            problems.append(f"{must}: not cited in src/ (PROTOCOL {must})")
        if must not in verified:
            problems.append(f"{must}: no test in test/ (Verifies {must})")
    named = mentions([root / "src", root / "test"], CODE_SUFFIXES | TEST_SUFFIXES)
    for must in sorted(set(named) - known, key=sort_key):
        where = ", ".join(sorted(str(path.relative_to(root)) for path in named[must]))
        problems.append(f"{must}: not in PROTOCOL.md, but named in {where}")
    if not known:
        problems.append("PROTOCOL.md: no numbered requirement found")
    more, claims = claim_problems(root, specification.read_text(encoding="utf-8"))
    return problems + more, len(known), claims, cited, verified


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("root", nargs="?", type=pathlib.Path,
                        default=pathlib.Path(__file__).resolve().parent.parent,
                        help="top of the tree (default: the one this script is in)")
    root = parser.parse_args().root
    try:
        problems, count, claims, cited, verified = problems_of(root)
    except OSError as error:
        print(f"check_protocol: {error}")
        return 1
    for problem in problems:
        print(problem)
    if problems:
        return 1
    in_code = len(set().union(*cited.values()))
    in_tests = len(set().union(*verified.values()))
    print(f"check_protocol: {count} requirements, cited in {in_code} source files and verified "
          f"in {in_tests} test files; {claims} claims, each with its tests")
    return 0


if __name__ == "__main__":
    sys.exit(main())
