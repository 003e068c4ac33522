# SPDX-License-Identifier: Apache-2.0
"""Syncs of one APT archive from a local origin, each program with an empty directory."""

import os
import shutil

from bench import tools
from harness import archive, reservoir

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
    needs = ()

    def __init__(self, folder, made, origin):
        self.folder, self.made, self.origin = folder, made, origin
        self.dir = os.path.join(folder.path, "mirror-" + self.name)
        self.env = {**os.environ, "HOME": folder.path}

    def prepare(self):
        shutil.rmtree(self.dir, ignore_errors=True)
        os.makedirs(self.dir)

    def sync(self):
        raise NotImplementedError

    def count(self):
        """Return how many packages are there."""
        return sum(name.endswith(".deb") for _, _, names in os.walk(self.dir) for name in names)


class ReservoirMirror(Mirror):
    name = "reservoir"

    def prepare(self):
        super().prepare()
        os.rmdir(self.dir)
        self.hub = reservoir.Reservoir(self.folder, os.path.basename(self.dir))
        self.hub.init()
        self.hub.configure([reservoir.apt("apt", self.origin.url + "/", self.made.gpg.public)])

    def sync(self):
        return tools.Run([reservoir.program(), "sync", "--store", self.dir, "--no-progress"],
                         env=self.env, cwd=self.folder.path)

    def count(self):
        return SMALL + LARGE if self.hub.generation() else 0


class Curl(Mirror):
    """What the network and the disk allow: no look at what arrives, and no care for it."""

    name = "curl"
    needs = ("curl",)

    def sync(self):
        lines = [f'url = "{self.origin.url}/{path}"\noutput = "{os.path.basename(path)}"\n'
                 for path in packages_of(self.made.root)]
        config = self.folder.write("curl.conf", "".join(lines))
        return tools.Run(["curl", "-sS", "--parallel", "--parallel-max", str(WAYS), "-K", config],
                         env=self.env, cwd=self.dir)


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

    def sync(self):
        return tools.Run(["aptly", "-config", self.config, "mirror", "update",
                          "-ignore-signatures", "m"], env=self.env, cwd=self.folder.path)


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

    def sync(self):
        return tools.Run(["apt-mirror", self.config], env=self.env, cwd=self.folder.path)


class Debmirror(Mirror):
    name = "debmirror"
    needs = ("debmirror",)

    def sync(self):
        return tools.Run(["debmirror", self.dir, "--method=http",
                          f"--host=127.0.0.1:{self.origin.port}", "--root=/", "--dist=stable",
                          "--section=main", "--arch=amd64", "--nosource", "--no-check-gpg",
                          "--ignore-release-gpg", "--rsync-extra=none", "--omit-suite-symlinks"],
                         env=self.env, cwd=self.folder.path)


def cold(mirrors, runs):
    """Return the seconds of each program, taking turns, and the most memory."""
    times = {mirror.name: tools.Series() for mirror in mirrors}
    memory = {mirror.name: 0 for mirror in mirrors}
    for _ in range(runs):
        for mirror in mirrors:
            mirror.prepare()
            done = mirror.sync()
            if mirror.count() < SMALL + LARGE:
                raise RuntimeError(f"{mirror.name} has {mirror.count()} packages of "
                                   f"{SMALL + LARGE}:\n{done.output[-2000:]}")
            times[mirror.name].add(done.seconds)
            memory[mirror.name] = max(memory[mirror.name], done.memory)
    return times, memory


def again(mirrors, runs, origin):
    """Return the seconds of a sync with nothing new, and its requests."""
    times = {mirror.name: tools.Series() for mirror in mirrors}
    requests = {}
    for mirror in mirrors:
        before = origin.requests()
        for _ in range(runs):
            times[mirror.name].add(mirror.sync().seconds)
        requests[mirror.name] = (origin.requests() - before) / runs
    return times, requests


def measure(folder, gpg, report, runs):
    made = build(folder, gpg)
    origin = tools.Nginx(folder, made.root, name="origin")
    every = [kind(folder, made, origin) for kind in (ReservoirMirror, Curl, Aptly, AptMirror,
                                                     Debmirror) if tools.has(*kind.needs)]
    times, memory = cold(every, runs)
    syncing = [mirror for mirror in every if mirror.name != "curl"]
    noop, requests = again(syncing, runs, origin)
    names = [mirror.name for mirror in every]
    rows = report.table("Sync of an APT archive", names)
    rows.append((f"cold, {SMALL + LARGE} packages, s", [times[n].text("{:.2f}") for n in names]))
    rows.append(("nothing new, s", [noop[n].text("{:.2f}") if n in noop else "-"
                                    for n in names]))
    rows.append(("nothing new, requests", [f"{requests[n]:.0f}" if n in requests else "-"
                                           for n in names]))
    rows.append(("most memory, MB", [f"{memory[n] / 1e6:.0f}" for n in names]))
    own = times["reservoir"].median
    ratio = own / times["curl"].median
    report.target("T1: cold APT sync <= 1.3 x curl --parallel 32", ratio <= 1.3, f"{ratio:.2f} x")
    if "aptly" in times:
        ratio = times["aptly"].median / own
        report.target("T1: cold APT sync >= 4 x aptly", ratio >= 4, f"{ratio:.1f} x")
    report.target("T2: nothing new <= 0.3 s", noop["reservoir"].median <= 0.3,
                  f"{noop['reservoir'].median:.2f} s")
    report.target("T2: nothing new <= 3 requests", requests["reservoir"] <= 3,
                  f"{requests['reservoir']:.0f}")
    report.target("T9: memory of sync <= 128 MB", memory["reservoir"] <= 128e6,
                  f"{memory['reservoir'] / 1e6:.0f} MB")
    report.note(f"The archive has {SMALL} packages of {SMALL_BYTES // 1000} KB on average and "
                f"{LARGE} of {LARGE_BYTES // 1_000_000} MB, on an nginx on the same machine; every "
                "cold sync starts with an empty directory, the programs taking turns.")
    report.note("The reservoir verifies the signature and every hash, and what it has is durable "
                "when it ends; aptly, apt-mirror and debmirror run without a look at the "
                "signature, and curl looks at nothing.")
    origin.stop()
