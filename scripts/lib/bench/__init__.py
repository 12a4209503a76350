# SPDX-License-Identifier: Apache-2.0
"""What `scripts/bench` is made of.

`settings` reads the command line, `machine` judges what is measured on, `children` starts and ends
programs, `works` says what is measured, `contestants` and its neighbours who is, `rounds` takes the
samples in turn, `networks` makes those that some of them need, `samples` makes medians of them, and
`table`, `report` and `page` show them.
"""


class Problem(Exception):
    """Why there is no result: one line that says what to change."""


class Absent(Exception):
    """Why a contestant cannot take part; the others still can."""


class PartAbsent(Absent):
    """Why it cannot take part in this one; in others it still can."""
