# SPDX-License-Identifier: Apache-2.0
"""Security updates of a week that reach a site as bundles.  test_X is reservoir.clients.X."""

from harness import week
from harness.world import check

ARCHIVE = 400   # packages that do not change
UPDATED = 20    # and that do, in the course of the week
NEW_BYTES = 90_000


def updates(number):
    """Return the names of the packages that a day brings."""
    return [f"update-{n}" for n in range(UPDATED) if n % 7 == number - 1]


def one_day(number):
    """Return what a day changes: some packages are replaced, some are new, one is gone."""
    def change(made):
        for name in updates(number):
            made.remove(name)
            made.add(name, f"1.0-1+deb12u{number}", architecture="amd64", payload=NEW_BYTES)
        made.remove(f"fixed-{number}")

    return change


def test_week_of_updates(world):
    made = world.archive(suite="stable-security", valid_for=7 * week.DAY, diffs=4)
    for number in range(ARCHIVE):
        made.add(f"fixed-{number}", f"{number}.0-1", architecture="amd64",
                 Homepage=f"https://example.org/{number * 2654435761 % 2**32:08x}")
    for number in range(UPDATED // 2):
        made.add(f"update-{number}", "1.0-1", architecture="amd64", payload=NEW_BYTES)
    found = week.Week(world, made, [one_day(number) for number in range(1, 8)],
                      suites=["stable-security"])
    week.carry(found, updates)
    over = found.report()
    check(not over, "a bundle is too big: " + "; ".join(over))
