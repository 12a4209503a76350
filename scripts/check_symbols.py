#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Checks what the archives of the pure floors ask others for, against an allow-list.

usage: check_symbols.py MODULE=ARCHIVE...

Floors 0 to 4 and the simulator are told the time and given their randomness: no clock, no
randomness, no environment, no I/O and no threads may be among their undefined symbols, nor a name
of a higher floor.
"""

import re
import subprocess
from pathlib import Path

import lib.house as house

ALLOWED = re.compile("|".join([
    # Memory and its movement; what the compiler emits for itself.
    r"(mem(cpy|move|set|cmp|chr)|__mem\w+_chk|bcmp|strlen|strcmp|strncmp|explicit_bzero)$",
    r"operator (new|delete)(\[\])?\(",
    r"(free|malloc|calloc|realloc|aligned_alloc|abort)$",
    r"madvise$",  # For huge pages: advice that changes no result.
    r"(_GLOBAL_OFFSET_TABLE_|__stack_chk_fail|__dso_handle|__tls_get_addr)$",
    r"(__cpu_model|__cpu_indicator_init)$",
    r"(__gxx_personality_v0|_Unwind_Resume|__cxa_\w+)$",
    r"(__\w+[dt]i[234]|__float(un)?tidf)$",
    r"(vtable|typeinfo|typeinfo name) for (__cxxabiv1::|std::(exception|bad_alloc)$|sluice::)",
    r"(non-virtual|virtual) thunk to ",
    # Containers, strings and status; never their streams, clocks, threads or random devices.
    r"std::(__throw_\w+|terminate)\(",
    r"std::(__cxx11::)?basic_string",
    r"std::(__detail|__cxx11)::(_Prime_rehash_policy|_List_node_base|basic_string)",
    r"std::_(Rb_tree_\w+|Hash_bytes|List_node_base)",
    r"std::(from_chars|to_chars|nothrow|bad_alloc|exception|logic_error|length_error)\b",
    # Abseil's header of status includes <iostream>: its objects are constructed, and never used.
    r"std::ios_base::Init::~?Init\(\)$",
    # Abseil's inline namespace is the release's, or the distribution's name for it.
    r"absl::(lts_\w+|debian\d+)::(Status|StatusOr|status_internal|internal_statusor|StrCat|"
    r"StrAppend|StrFormat|Cord|string_view|strings_internal|str_format_internal|"
    r"numbers_internal|ascii_internal|ByChar|AlphaNum|container_internal|hash_internal|"
    r"base_internal::Throw|"
    r"\w+Error\()",
    # Sanitizers and coverage of the fuzz targets.
    r"__(asan|ubsan|sanitizer|gcov)_",
]))
# Intel's multi-buffer library does only what it is told; the TLS library seeds itself.
ALLOWED_IN = {
    "crypto": re.compile(
        r"(init_mb_mgr_\w+|alloc_mb_mgr|free_mb_mgr|imb_\w+|aes_gcm_\w+|IMB_\w+)$|"
        r"(AES|EVP|CRYPTO|OPENSSL|HKDF|HMAC|SHA256|X25519|CBB|CBS|SSL|X509|ERR|EC|ED25519)_\w+$|"
        r"(HMAC|HKDF|SHA256|X25519)$"),
}
OWN = re.compile(r"sluice::(\w+)::")


def undefined(archive):
    """The undefined symbols that no other object of the same archive defines, demangled."""
    done = subprocess.run(["nm", "-C", str(archive)], stdout=subprocess.PIPE,
                          stderr=subprocess.DEVNULL, text=True, check=True)
    wanted, defined = set(), set()
    for line in done.stdout.splitlines():
        match = re.match(r"^[0-9a-f ]{16} ([A-Za-z]) (.*)$", line)
        if match:
            (wanted if match.group(1) in "Uw" else defined).add(match.group(2))
    return sorted(wanted - defined)


def floor_of(symbol):
    """The module that a name of ours belongs to, or None."""
    match = OWN.search(symbol)
    return match.group(1) if match and match.group(1) in house.FLOORS else None


def check(report, module, archive):
    report.inspect()
    for symbol in undefined(archive):
        owner = floor_of(symbol)
        if owner:
            if owner != module and house.FLOORS[owner] >= house.FLOORS[module]:
                report.breach(archive, f"{module} calls up or sideways: {symbol}")
            continue
        extra = ALLOWED_IN.get(module)
        if not ALLOWED.match(symbol) and not (extra and extra.match(symbol)):
            report.breach(archive, f"{module} reaches outside: {symbol}")


def main():
    arguments = house.parse_root(
        __doc__.splitlines()[0],
        archives={"nargs": "*", "metavar": "MODULE=ARCHIVE"})
    report = house.Report(Path.cwd())
    for pair in arguments.archives:
        module, _, archive = pair.partition("=")
        if module in house.PURE:
            check(report, module, Path(archive))
    report.finish("archives")


if __name__ == "__main__":
    main()
