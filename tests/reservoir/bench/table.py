# SPDX-License-Identifier: Apache-2.0
"""The report: rows of measures, columns of programs, and targets that are met or missed."""

import os
import platform
import re
import subprocess
import sys
import time


# Targets that a test shows, and no figure: number, what, where; None where nothing does.
SHOWN = (
    (4, "200 kills of sync, import, gc and publish: nothing damaged or left over",
     "unit.reservoir.store.kill, unit.reservoir.bundle.interrupted, reservoir.sync.Killed"),
    (5, "every flipped bit is found, repaired, and served to nobody",
     "unit.reservoir.store.scrub, reservoir.clients.verify_repairs_what_has_a_source"),
    (6, "no mixed state in 10,000 updates during 1,000 publishes",
     "reservoir.soak; `make soak-reservoir` in full"),
    (8, "ranges are right", "unit.reservoir.serve.condition, fuzz.reservoir_request"),
    (12, "foreign, replayed, old and hostile bundles are refused before the first write",
     "unit.reservoir.bundle.hostile, fuzz.reservoir_bundle"),
    (13, "an import goes on where it was; chunks in any order; what is missing is named",
     "unit.reservoir.bundle.interrupted, "
     "reservoir.clients.site_names_the_bundles_that_are_missing"),
    (17, "apt takes what is curated 400 days later",
     "reservoir.clients.apt_takes_curated_on_any_day"),
    (18, "replicas answer alike", "reservoir.clients.replicas_answer_alike"),
    (20, "what was chosen installs with all it needs where there is no route out",
     "reservoir.clients.machine_pypi, reservoir.clients.machine_apt"),
)
NUMBERS = (*range(1, 14), 15, *range(17, 22))


class Report:
    def __init__(self):
        self.tables = []
        self.targets = []
        self.notes = []
        self.failed = []

    def part(self, name, measure):
        """Measure; what was measured before is not lost when that fails."""
        print(f"measuring: {name}", file=sys.stderr, flush=True)
        try:
            measure()
        except Exception as error:  # pylint: disable=broad-except (the report says so)
            self.failed.append(name)
            print(f"{name}: {error}", file=sys.stderr, flush=True)

    def table(self, title, columns):
        rows = []
        self.tables.append((title, columns, rows))
        return rows

    def target(self, text, met, figure):
        """Say whether a target is met; None where it could not be measured."""
        self.targets.append((text, {True: "met", False: "MISSED", None: "not measured"}[met],
                             figure))

    def note(self, text):
        self.notes.append(text)

    def every_target(self):
        """Return the rows of all targets, in the order of their numbers."""
        rows = self.targets + [
            (f"T{number}: {text}", "shown by test" if tests else "not measured", tests or "")
            for number, text, tests in SHOWN]
        there = {number_of(row) for row in rows}
        rows += [(f"T{number}:", "not measured", "") for number in NUMBERS if number not in there]
        return sorted(rows, key=number_of)

    def markdown(self):
        lines = []
        for title, columns, rows in self.tables:
            lines += [f"### {title}", "", "|  | " + " | ".join(columns) + " |",
                      "|---|" + "--:|" * len(columns)]
            lines += [f"| {name} | " + " | ".join(cells) + " |" for name, cells in rows] + [""]
        lines += ["### Targets of the reservoir", "", "| target | result | figure or test |",
                  "|---|---|--:|"]
        lines += [f"| {text} | {met} | {figure} |" for text, met, figure in self.every_target()]
        lines += ["", "### How the reservoir was measured", ""]
        lines += [f"- {one_line(note)}" for note in self.notes]
        return "\n".join(lines) + "\n"


def number_of(row):
    return int(re.match(r"T(\d+)", row[0])[1])


def one_line(text, most=600):
    return " ".join(text.split())[:most]


def cpu_seconds():
    """Return the CPU seconds of the whole machine since its start, and those of this run."""
    with open("/proc/stat", encoding="ascii") as file:
        user, nice, system, _, _, irq, softirq, steal = map(int, file.readline().split()[1:9])
    busy = (user + nice + system + irq + softirq + steal) / os.sysconf("SC_CLK_TCK")
    times = os.times()
    return busy, sum(times[:4])


class Others:
    """What else the machine did while it was measured."""

    QUIET = 0.1  # of its processors

    def __init__(self):
        self.load = os.getloadavg()
        self.start = time.monotonic(), *cpu_seconds()

    def tell(self, report):
        clock, busy, own = self.start
        took = time.monotonic() - clock
        busy_now, own_now = cpu_seconds()
        other = max(busy_now - busy - (own_now - own), 0) / took / os.cpu_count()
        report.note("Load average before {:.2f} {:.2f} {:.2f}, ".format(*self.load) +
                    "after {:.2f} {:.2f} {:.2f}; ".format(*os.getloadavg()) +
                    f"it took {took / 60:.0f} minutes, in which other work had {other:.0%} of "
                    "the processors.")
        if other > self.QUIET:
            report.note("WARNING: the machine was busy with other work. Figures in seconds, "
                        "answers and bytes a second are not to be compared with other runs; "
                        "sizes, requests and memory hold.")


def machine():
    """Return what this machine is."""
    name = platform.processor() or platform.machine()
    with open("/proc/cpuinfo", encoding="utf-8") as file:
        for line in file:
            if line.startswith("model name"):
                name = line.split(":", 1)[1].strip()
                break
    return f"{name}, {os.cpu_count()} CPUs, Linux {platform.release()}"


def versions(programs):
    """Return the Debian versions of packages."""
    done = subprocess.run(["dpkg-query", "-W", "-f", "${Package} ${Version}, ", *programs],
                          capture_output=True, text=True, check=False)
    return done.stdout.rstrip(", ")
