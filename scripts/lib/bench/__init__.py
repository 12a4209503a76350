# SPDX-License-Identifier: Apache-2.0
"""What `scripts/bench` is made of.

`settings` reads the command line, `machine` judges what is measured on, `children` starts and ends
programs, `works` says what is measured, `contestants` and its neighbours who is, `rounds` takes the
samples in turn, `samples` makes medians of them, and `table`, `report` and `page` show them.
"""


class Problem(Exception):
    """Why there is no result: one line that says what to change."""
