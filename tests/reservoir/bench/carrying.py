# SPDX-License-Identifier: Apache-2.0
"""Bundles: how big, how fast, and with how much memory; scrubs too."""

import glob
import hashlib
import os
import shutil

from bench import syncing, tools
from harness import carried, reservoir
from harness.reservoir import get
from harness.world import World

NEW, NEW_BYTES = 10, 200_000  # packages of a day
HEAVY, HEAVY_BYTES = 60, 16_000_000  # objects beside the archive's, for a scrub


def command(store, name, *words):
    return tools.Run([reservoir.program(), name, "--store", store.store, *words],
                     env=store.env, cwd=store.folder.path)


def index_bytes(made):
    """Return the bytes of an archive's plain index, which a day changes."""
    path = os.path.join(made.root, f"dists/{made.suite}/main/binary-{made.architecture}/Packages")
    return os.path.getsize(path)


class Measured:
    def __init__(self, world):
        made = syncing.build(world, world.gpg())
        shutil.rmtree(world.upstream.apt)
        os.rename(made.root, world.upstream.apt)
        made.root = world.upstream.apt
        self.made, self.world = made, world
        self.pair = carried.Pair(world, [world.apt_row(), world.pypi_row(["recalled", "kept"])])
        world.index.add("recalled", payload=50_000)
        world.index.add("kept")
        self.pair.hub.sync(timeout=600)

    def whole(self, runs):
        """Carry everything, again and again to an empty site."""
        pair = self.pair
        manifest = pair.export()[0]
        self.bytes = pair.bundle_bytes
        self.imports, self.memory = tools.Series(), 0
        for _ in range(runs):
            shutil.rmtree(pair.site.store)
            pair.site.init()
            pair.configure_site()
            done = command(pair.site, "import", manifest)
            self.imports.add(done.seconds)
            self.memory = max(self.memory, done.memory)

    def fill(self):
        """Put heavy objects into the site's store, as wheels of today are."""
        for _ in range(HEAVY):
            data = os.urandom(HEAVY_BYTES)
            name = hashlib.sha256(data).hexdigest()
            self.world.write(f"{self.pair.site.store}/objects/{name[:2]}/{name}", data)

    def scrub(self, runs):
        self.fill()
        self.scrubs, self.alone = tools.Series(), tools.Series()
        for _ in range(runs):
            self.scrubs.add(command(self.pair.site, "verify").seconds)
            self.alone.add(command(self.pair.site, "verify", "--jobs", "1").seconds)
        self.stored = sum(os.path.getsize(path) for path in
                          glob.glob(os.path.join(self.pair.site.store, "objects/*/*")))

    def day(self):
        """Carry a day's packages; return the bytes of bundle, packages and indexes."""
        for number in range(NEW):
            self.made.add(f"daily-{number}", architecture="amd64", payload=NEW_BYTES)
        self.made.publish()
        new = sum(os.path.getsize(path) for path in glob.glob(
            os.path.join(self.made.root, "pool/main/d/daily-*/*.deb")))
        self.pair.hub.sync()
        self.pair.carry()
        return self.pair.bundle_bytes, new, index_bytes(self.made)

    def recall(self):
        """Recall a package; return the seconds from the drop until clients do not get it."""
        pair, world = self.pair, self.world
        pair.site.serve()
        pair.site.watch(world.folder("drop"))
        url = pair.site.url + "/pypi/packages/recalled/recalled-1.0-py3-none-any.whl"
        if get(url, method="HEAD")[0] != 200:
            raise RuntimeError("there is nothing to recall")
        row = world.pypi_row(["recalled", "kept"])
        row["pypi"]["exclude"] = ["recalled"]
        pair.configure_hub([world.apt_row(), row])
        pair.hub.sync(status=None)
        paths = pair.export()
        for path in paths[1:] + paths[:1]:
            shutil.copy(path, world.folder("drop"))
        took = tools.wait("the recall", lambda: get(url, method="HEAD")[0] == 404)
        pair.site.stop()
        return took, pair.bundle_bytes


def measure(report, runs):
    with World("carrying") as world:
        found = Measured(world)
        found.whole(runs)
        found.scrub(runs)
        bundle, new, index = found.day()
        took, recalled = found.recall()
    rows = report.table("Bundles and scrubs", ["reservoir"])
    rates = tools.Series()
    rates.values = [found.bytes / 1e6 / seconds for seconds in found.imports.values]
    scrubs, alone = tools.Series(), tools.Series()
    scrubs.values = [found.stored / 1e9 / seconds for seconds in found.scrubs.values]
    alone.values = [found.stored / 1e9 / seconds for seconds in found.alone.values]
    rows += [("import of the whole archive, MB/s", [rates.text("{:.0f}")]),
             ("most memory of import, MB", [f"{found.memory / 1e6:.0f}"]),
             ("scrub, GB/s", [scrubs.text("{:.2f}")]),
             ("scrub by one thread, GB/s", [alone.text("{:.2f}")]),
             (f"bundle of {NEW} new packages, bytes", [f"{bundle:,}"]),
             ("the packages themselves, bytes", [f"{new:,}"]),
             ("bundle of a recall, bytes", [f"{recalled:,}"]),
             ("recall, from the drop to 404, s", [f"{took:.2f}"])]
    most = 1.01 * new + 0.02 * index
    report.target("T5: scrub >= 1 GB/s for each processor", alone.median >= 1,
                  f"{alone.median:.2f} GB/s")
    report.target("T9: memory of import <= 128 MB", found.memory <= 128e6,
                  f"{found.memory / 1e6:.0f} MB")
    report.target("T11: bundle <= 1.01 x new objects + 2 % of the changed index", bundle <= most,
                  f"{bundle:,} bytes, at most {most:,.0f}")
    report.target("T15: recall <= 1 s", took <= 1, f"{took:.2f} s")
    report.note(f"The scrub: of {found.stored / 1e6:,.0f} MB that are in memory already, by "
                f"{os.cpu_count()} threads or one, from the start of the program to its end.")
    report.note(f"The bundle of a day: {NEW} packages of {NEW_BYTES // 1000} KB in an archive of "
                f"{syncing.SMALL + syncing.LARGE}, whose plain index has {index:,} bytes.")
