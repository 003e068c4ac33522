# SPDX-License-Identifier: Apache-2.0
"""The report: rows of measures, columns of programs, and targets that are met or missed."""

import os
import platform
import subprocess


class Report:
    def __init__(self):
        self.tables = []
        self.targets = []
        self.notes = []

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

    def markdown(self):
        lines = []
        for title, columns, rows in self.tables:
            lines += [f"### {title}", "", "|  | " + " | ".join(columns) + " |",
                      "|---|" + "--:|" * len(columns)]
            lines += [f"| {name} | " + " | ".join(cells) + " |" for name, cells in rows] + [""]
        lines += ["### Targets of the reservoir", "", "| target | result | figure |",
                  "|---|---|--:|"]
        lines += [f"| {text} | {met} | {figure} |" for text, met, figure in self.targets]
        lines += ["", "### How the reservoir was measured", ""]
        lines += [f"- {note}" for note in self.notes]
        return "\n".join(lines) + "\n"


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
