# SPDX-License-Identifier: Apache-2.0
"""Syncs of one APT archive from a local origin, each program with an empty directory."""

import os
import subprocess
import tempfile

from bench import tools
from harness import archive, reservoir
from harness.reservoir import Failed

SMALL, SMALL_BYTES = 300, 22_000
LARGE, LARGE_BYTES = 30, 2_000_000
WAYS = 32  # transfers at once of curl


def build(folder, gpg):
    """Make the archive; return its directory and the number of its bytes."""
    made = archive.AptArchive(folder.folder("archive"), gpg, by_hash=True)
    for number in range(SMALL):
        # Sizes from a tenth of the mean to almost twice of it.
        size = SMALL_BYTES // 10 + number * (SMALL_BYTES * 9 // 5) // SMALL
        made.add(f"small-{number:04}", architecture="amd64", payload=size)
    for number in range(LARGE):
        made.add(f"large-{number:04}", architecture="amd64", payload=LARGE_BYTES)
    made.publish()
    return made


def packages_of(root):
    return [os.path.relpath(os.path.join(at, name), root)
            for at, _, names in os.walk(os.path.join(root, "pool")) for name in sorted(names)]


class Mirror:
    """A program that mirrors into a directory of its own."""

    name = None
    prefix = "mirror"  # of its directories
    needs = ()
    expected = SMALL + LARGE  # packages

    def __init__(self, folder, made, origin):
        self.folder, self.made, self.origin = folder, made, origin
        self.dir = None
        self.env = {**os.environ, "HOME": folder.path}

    def prepare(self):
        """Make a directory for another run.

        Those of earlier runs stay until the end: for minutes after many files were removed, ext4
        spends more time on finding inodes for new ones than any program on fetching them.
        """
        self.dir = tempfile.mkdtemp(prefix=f"{self.prefix}-{self.name}-", dir=self.folder.path)

    def words(self):
        """Return the words of a command that syncs."""
        raise NotImplementedError

    def run(self, words, **options):
        return tools.Run(words, env=self.env, cwd=self.folder.path, **options)

    def sync(self):
        return self.run(self.words())

    def count(self):
        """Return how many packages are there."""
        return sum(name.endswith(".deb") for _, _, names in os.walk(self.dir) for name in names)


class ReservoirMirror(Mirror):
    name = "reservoir"

    def prepare(self):
        super().prepare()
        self.hub = reservoir.Reservoir(self.folder, os.path.basename(self.dir))
        self.hub.init()
        self.hub.configure([self.row()])

    def row(self):
        return reservoir.apt("apt", self.origin.url + "/", self.made.gpg.public)

    def words(self):
        return [reservoir.program(), "sync", "--store", self.dir, "--no-progress"]

    def count(self):
        return SMALL + LARGE if self.hub.generation() else 0


class Curl(Mirror):
    """What the network and the disk allow: no look at what arrives, and no care for it."""

    name = "curl"
    needs = ("curl",)

    def words(self):
        return self.words_for(self.origin.url, packages_of(self.made.root))

    def words_for(self, url, paths):
        lines = [f'url = "{url}/{path}"\noutput = "{self.dir}/{os.path.basename(path)}"\n'
                 for path in paths]
        config = self.folder.write("curl.conf", "".join(lines))
        return ["curl", "-sSf", "--parallel", "--parallel-max", str(WAYS), "-K", config]


class Aptly(Mirror):
    name = "aptly"
    needs = ("aptly",)

    def prepare(self):
        super().prepare()
        self.config = self.folder.write("aptly.conf", f'{{"rootDir": "{self.dir}", '
                                        '"gpgDisableVerify": true, "architectures": ["amd64"]}')
        tools.Run(["aptly", "-config", self.config, "mirror", "create", "-ignore-signatures",
                   "m", self.origin.url + "/", "stable", "main"], env=self.env,
                  cwd=self.folder.path)

    def words(self):
        return ["aptly", "-config", self.config, "mirror", "update", "-force",
                "-ignore-signatures", "m"]


class AptMirror(Mirror):
    name = "apt-mirror"
    needs = ("apt-mirror",)

    def prepare(self):
        super().prepare()
        for path in ("mirror", "skel", "var"):
            os.mkdir(os.path.join(self.dir, path))
        self.config = self.folder.write("apt-mirror.list", f"""
set base_path {self.dir}
set nthreads 20
set _tilde 0
set run_postmirror 0
deb-amd64 {self.origin.url} stable main
""")

    def words(self):
        return ["apt-mirror", self.config]


class Debmirror(Mirror):
    name = "debmirror"
    needs = ("debmirror",)

    def words(self):
        return ["debmirror", self.dir, "--method=http", f"--host=127.0.0.1:{self.origin.port}",
                "--root=/", "--dist=stable", "--section=main", "--arch=amd64", "--nosource",
                "--no-check-gpg", "--ignore-release-gpg", "--rsync-extra=none",
                "--omit-suite-symlinks"]


class Syncs:
    """What was measured of the programs that mirror; one that fails has no more runs."""

    def __init__(self, mirrors, report):
        self.mirrors, self.report = list(mirrors), report
        self.names = [mirror.name for mirror in mirrors]
        self.cold = {name: tools.Series() for name in self.names}
        self.again = {name: tools.Series() for name in self.names}
        self.memory = dict.fromkeys(self.names, 0)
        self.requests = {}

    def each(self, what, mirrors=None):
        for mirror in list(self.mirrors if mirrors is None else mirrors):
            try:
                what(mirror)
            except (Failed, OSError, RuntimeError, subprocess.SubprocessError) as error:
                self.mirrors.remove(mirror)
                self.report.note(f"{mirror.name} was measured no further: {error}.")

    def measure_cold(self, mirror):
        mirror.prepare()
        done = mirror.sync()
        if mirror.count() < mirror.expected:
            raise RuntimeError(f"it has {mirror.count()} packages of {mirror.expected}: "
                               f"{done.output[-1000:]}")
        self.cold[mirror.name].add(done.seconds)
        self.memory[mirror.name] = max(self.memory[mirror.name], done.memory)

    def measure_again(self, mirror):
        if mirror.name != "curl":
            self.again[mirror.name].add(mirror.sync().seconds)

    def count_requests(self, origin):
        """Count what each asks for when nothing is new."""
        for mirror in self.mirrors:
            if mirror.name != "curl":
                before = origin.requests()
                self.each(self.measure_again, [mirror])
                self.requests[mirror.name] = origin.requests() - before

    def rows(self, form):
        """Return the rows of what has a figure for each program."""
        return [("nothing new, s", [self.again[n].text(form) for n in self.names]),
                ("most memory, MB", [f"{self.memory[n] / 1e6:.0f}" for n in self.names])]


def measure(folder, gpg, report, runs):
    made = build(folder, gpg)
    origin = tools.Nginx(folder, made.root, name="origin")
    found = Syncs([kind(folder, made, origin) for kind in (
        ReservoirMirror, Curl, Aptly, AptMirror, Debmirror) if tools.has(*kind.needs)], report)
    for _ in range(runs):
        found.each(found.measure_cold)
        found.each(found.measure_again)
    found.count_requests(origin)
    origin.stop()
    rows = report.table("Sync of an APT archive", found.names)
    rows.append((f"cold, {SMALL + LARGE} packages, s",
                 [found.cold[n].text("{:.2f}") for n in found.names]))
    rows.append(("nothing new, requests", [str(found.requests.get(n, "-"))
                                           for n in found.names]))
    rows += found.rows("{:.2f}")
    write_targets(report, found)
    report.note(f"The archive has {SMALL} packages of {SMALL_BYTES // 1000} KB on average and "
                f"{LARGE} of {LARGE_BYTES // 1_000_000} MB, on an nginx on the same machine; every "
                "cold sync starts with an empty directory, the programs taking turns.")
    report.note("The reservoir verifies the signature and every hash, and what it has is durable "
                "when it ends; aptly, apt-mirror and debmirror run without a look at the "
                "signature, aptly flushes a part of its files and the others flush none, and curl "
                "looks at nothing.")


def write_targets(report, found):
    own = found.cold["reservoir"].median
    if found.cold.get("curl") and found.cold["curl"].values:
        ratio = own / found.cold["curl"].median
        report.target("T1: cold APT sync <= 1.3 x curl --parallel 32", ratio <= 1.3,
                      f"{ratio:.2f} x")
    if found.cold.get("aptly") and found.cold["aptly"].values:
        ratio = found.cold["aptly"].median / own
        report.target("T1: cold APT sync >= 4 x aptly", ratio >= 4, f"{ratio:.1f} x")
    again, memory = found.again["reservoir"].median, found.memory["reservoir"]
    report.target("T2: nothing new <= 0.3 s", again <= 0.3, f"{again:.2f} s")
    report.target("T2: nothing new <= 3 requests", found.requests["reservoir"] <= 3,
                  f"{found.requests['reservoir']}")
    report.target("T9: memory of sync <= 128 MB", memory <= 128e6, f"{memory / 1e6:.0f} MB")
