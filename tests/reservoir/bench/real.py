# SPDX-License-Identifier: Apache-2.0
"""Syncs of a few packages from the archive that this machine's own apt has as a source.

No host is named here: it is read from apt's configuration when this runs.
"""

import lzma
import os
import re

from bench import syncing, tools
from harness import registries, reservoir, sandbox
from harness.reservoir import get

# With what they need, fewer than twenty.
PACKAGES = ("hello", "tree", "less", "pv", "file")
FILES_MAX = 20
RUNS_MAX = 3  # somebody else's archive


class Archive:
    """The machine's own archive, as much of it as is asked for."""

    def __init__(self, folder, gpg):
        self.row = registries.apt_row(folder, PACKAGES, gpg)
        self.url, self.gpg = self.row["upstream"].rstrip("/"), gpg
        self.suite = self.row["apt"]["suites"][0]
        self.keyring = self.row["apt"]["keyring"]
        self.paths = []  # of the packages, once the reservoir has them


class Own(syncing.ReservoirMirror):
    prefix = "real"
    expected = len(PACKAGES)

    def row(self):
        return self.made.row

    def count(self):
        self.made.paths = self.made.paths or self.served()
        return len(self.made.paths)

    def served(self):
        """Return the paths of the packages that the repository has."""
        self.hub.serve()
        index = f"{self.hub.url}/apt/dists/{self.made.suite}/main/binary-amd64/Packages.xz"
        status, _, body = get(index)
        self.hub.stop()
        if status != 200:
            raise RuntimeError(f"{index}: {status}")
        return re.findall(r"^Filename: (.*)$", lzma.decompress(body).decode(), re.MULTILINE)


class Curl(syncing.Curl):
    prefix = "real"
    expected = len(PACKAGES)

    def words(self):
        return self.words_for(self.made.url, self.made.paths)


class Aptly(syncing.Mirror):
    name, prefix = "aptly", "real"
    needs = ("aptly",)
    expected = len(PACKAGES)

    def prepare(self):
        super().prepare()
        self.config = self.folder.write("real-aptly.conf", f'{{"rootDir": "{self.dir}", '
                                        '"gpgDisableVerify": true, "architectures": ["amd64"]}')
        self.run(["aptly", "-config", self.config, "mirror", "create", "-ignore-signatures",
                  "-filter", " | ".join(PACKAGES), "-filter-with-deps", "m",
                  self.made.url + "/", self.made.suite, "main"])

    def words(self):
        return ["aptly", "-config", self.config, "mirror", "update", "-force",
                "-ignore-signatures", "m"]


def measure(folder, gpg, report, runs):
    try:
        made = Archive(folder, gpg)
    except sandbox.Skip as reason:
        report.note(f"The real archive was left out: {reason}.")
        return
    found = syncing.Syncs([kind(folder, made, None) for kind in (Own, Curl, Aptly)
                           if tools.has(*kind.needs)], report)
    for _ in range(min(runs, RUNS_MAX)):
        found.each(found.measure_cold)
        found.each(found.measure_again)
    if len(made.paths) > FILES_MAX:
        raise RuntimeError(f"{len(made.paths)} packages were fetched, more than {FILES_MAX}")
    rows = report.table("Sync of a few packages from the machine's own archive", found.names)
    rows.append((f"cold, {len(made.paths)} packages, s",
                 [found.cold[n].text("{:.2f}") for n in found.names]))
    rows += found.rows("{:.2f}")
    report.note(f"The real archive: {', '.join(PACKAGES)} and what they need, "
                f"{min(runs, RUNS_MAX)} runs; the reservoir and aptly read the index of the whole "
                "suite, curl fetches the packages only.")
