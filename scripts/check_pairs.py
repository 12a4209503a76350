#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Checks that each src/x/y.cc has a test/unit/x/y_test.cc which holds tests and is built."""

import re

import lib.house as house

TEST = re.compile(r"^(TEST|TEST_F|TEST_P|TYPED_TEST)\(", re.MULTILINE)


def built_names(root):
    """The file names that some meson.build under test/unit lists."""
    names = set()
    for path in (root / "test" / "unit").rglob("meson.build"):
        names.update(re.findall(r"'([^']+_test\.cc)'", house.read(path)))
    return names


def main():
    root = house.parse_root(__doc__).root.resolve()
    report = house.Report(root)
    for source in house.files(root, ["src"], (".cc",)):
        report.inspect()
        inside = source.relative_to(root / "src")
        test = root / "test" / "unit" / inside.with_name(f"{inside.stem}_test.cc")
        if not test.is_file():
            report.breach(source, f"has no {test.relative_to(root)}")
    built = built_names(root)
    for test in house.files(root, ["test/unit"], (".cc",)):
        if not test.stem.endswith("_test"):
            continue
        inside = test.relative_to(root / "test" / "unit")
        if not TEST.search(house.read(test)):
            report.breach(test, "holds no test")
        if not any(name.split("/")[-1] == inside.name for name in built):
            report.breach(test, "is listed in no meson.build")
    report.finish("sources")


if __name__ == "__main__":
    main()
