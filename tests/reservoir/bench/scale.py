# SPDX-License-Identifier: Apache-2.0
"""Memory, start and bookkeeping with many projects, files and snapshots."""

import json
import os
import shutil
import time

from bench import tools
from bench.peers import ACCEPT
from harness import reservoir
from harness.world import World

HOT = 10_000
ENTRIES = 1_000_000
LISTED = 700_000  # projects of an index
CHOSEN = 1_000    # of them that are taken
CHANGED = 10
SNAPSHOTS = 100
LUA = """
local n = 0
request = function()
    n = (n + 1) % {hot}
    return wrk.format("GET", "/pypi/simple/hot-" .. n .. "/")
end
"""


def json_origin(world, root, name):
    return tools.Nginx(world, root, name=name,
                       server="index index.json; default_type application/json;")


def hot(rows, report):
    """Ask for many projects, and look at the server's memory."""
    with World("hot") as world:
        for number in range(HOT):
            world.index.add(f"hot-{number}")
        origin = json_origin(world, world.folder("hot-index"), "hot-origin")
        tools.write_index(world, world.index, os.path.join(world.path, "hot-index"))
        hub = world.reservoir()
        hub.configure([reservoir.pypi("pypi", f"{origin.url}/simple/", ["hot-*"],
                                      dependencies=False)])
        start = time.monotonic()
        hub.sync(timeout=900)
        rows.append((f"sync of {HOT:,} projects, s", [f"{time.monotonic() - start:.1f}"]))
        origin.stop()
        hub.serve()
        script = world.write("hot.lua", LUA.format(hot=HOT))
        tools.Load(hub.url, (f"Accept: {ACCEPT}", "Accept-Encoding: gzip"), 5, script=script)
        used = tools.rss(hub.server.pid)
        hub.stop()
    rows.append((f"server with {HOT:,} hot projects, MB", [f"{used / 1e6:.0f}"]))
    report.target(f"T9: server with {HOT:,} hot projects <= 64 MB", used <= 64e6,
                  f"{used / 1e6:.0f} MB")


def start(rows, report):
    """Start a server on a store with many entries, made by reservoir-bigstore."""
    maker = os.path.join(os.path.dirname(reservoir.program()), "reservoir-bigstore")
    if not os.access(maker, os.X_OK):
        raise RuntimeError("reservoir-bigstore is not built")
    with World("start") as world:
        hub = reservoir.Reservoir(world, "big")
        tools.Run([maker, hub.store, str(ENTRIES)])
        hub.configure([])
        times = tools.Series()
        for _ in range(tools.RUNS):
            times.add(hub.serve())
            used = tools.rss(hub.server.pid)
            hub.stop()
        shutil.rmtree(hub.store)
    rows += [(f"start with {ENTRIES:,} entries, s", [times.text("{:.2f}")]),
             (f"server with {ENTRIES:,} entries, just started, MB", [f"{used / 1e6:.0f}"])]
    report.target(f"T10: ready <= 0.5 s with {ENTRIES:,} entries", times.median <= 0.5,
                  f"{times.median:.2f} s")


class BigIndex:
    """An index of very many projects, of which those that are taken have files."""

    def __init__(self, world):
        self.world = world
        self.root = world.folder("big-index")
        self.serials = dict.fromkeys(map(self.name, range(LISTED)), 1)
        for number in range(CHOSEN):
            world.index.add(self.name(number))
        self.index = world.index
        for path, data in self.index.data.items():
            world.write(f"{self.root}/{path}", data)
        for number in range(CHOSEN):
            self.write_page(self.name(number))
        self.write_list()

    @staticmethod
    def name(number):
        kind = "chosen" if number < CHOSEN else "listed"
        return f"{kind}-project-{number}"

    def write_page(self, name):
        self.index.serials[name] = self.serials[name]
        self.world.write(f"{self.root}/simple/{name}/index.json", self.index.page_json(name))

    def write_list(self):
        projects = [{"name": name, "_last-serial": serial}
                    for name, serial in self.serials.items()]
        self.world.write(f"{self.root}/simple/index.json", json.dumps(
            {"meta": {"api-version": "1.4", "_last-serial": max(self.serials.values())},
             "projects": projects}))

    def change(self):
        for number in range(CHANGED):
            self.serials[self.name(number)] += 1
            self.write_page(self.name(number))
        self.write_list()


def bookkeeping(rows, report):
    """Plan what is new of a long list, and see what a project costs in the catalogue."""
    with World("bookkeeping") as world:
        index = BigIndex(world)
        origin = json_origin(world, index.root, "big-origin")
        hub = world.reservoir()
        hub.configure([reservoir.pypi("pypi", f"{origin.url}/simple/", ["chosen-*"],
                                      dependencies=False)])
        hub.sync(timeout=600)
        size = sum(os.path.getsize(os.path.join(hub.store, name))
                   for name in os.listdir(hub.store) if name.startswith("catalogue"))
        index.change()
        done = tools.Run([reservoir.program(), "sync", "--dry-run", "--store", hub.store,
                          "--no-progress"], env=hub.env, cwd=world.path)
        origin.stop()
    rows += [(f"plan of {LISTED:,} listed projects with {CHANGED} changed, s",
              [f"{done.seconds:.2f}"]),
             ("most memory of that, MB", [f"{done.memory / 1e6:.0f}"]),
             ("catalogue, bytes per project", [f"{size / CHOSEN:.0f}"])]
    report.target(f"T3: plan of {LISTED:,} projects <= 3 s", done.seconds <= 3,
                  f"{done.seconds:.2f} s")
    report.target(f"T3: plan of {LISTED:,} projects <= 150 MB", done.memory <= 150e6,
                  f"{done.memory / 1e6:.0f} MB")
    report.target("T3: journal <= 200 bytes per package", size / CHOSEN <= 200,
                  f"{size / CHOSEN:.0f} bytes")
    report.note(f"The plan: an index that lists {LISTED:,} projects, of which the {CHOSEN:,} that "
                f"a pattern chooses are there already and {CHANGED} have changed.")


def tree_bytes(path):
    return sum(os.path.getsize(os.path.join(at, name))
               for at, _, names in os.walk(path) for name in names)


def snapshots(rows, report, projects=40, files=50):
    """Take snapshots of an index that changes a little in between."""
    with World("snapshots") as world:
        for number in range(projects * files):
            world.index.add(f"project-{number % projects}", f"1.{number // projects}")
        hub = world.reservoir()
        hub.configure([world.pypi_row(["project-*"], dependencies=False)])
        hub.sync(timeout=600)
        before = tree_bytes(hub.store)
        new = 0
        for number in range(SNAPSHOTS):
            world.index.add(f"project-{number % projects}", f"2.{number}")
            new += len(world.index.data[next(reversed(world.index.data)).removesuffix(
                ".metadata")])
            hub.sync()
            hub.run("snapshot", f"day-{number}")
        grown = tree_bytes(hub.store) - before - new
        served = hub.status()["repositories"][0]["files"]
        per_file = grown / SNAPSHOTS / served
    rows.append((f"{SNAPSHOTS} snapshots of {served:,} files, bytes per file and snapshot",
                 [f"{per_file:.0f}"]))
    report.target("T19: snapshots <= 100 bytes per file", per_file <= 100,
                  f"{per_file:.0f} bytes")
    report.note(f"The snapshots: {SNAPSHOTS} of {served:,} files (wheels, their metadata and "
                "pages), a new wheel each time; all that the store grew by but for the wheels "
                "is counted.")


def measure(report):
    rows = report.table("Memory, start and bookkeeping", ["reservoir"])
    for what in (hot, start, bookkeeping, snapshots):
        report.part(what.__name__, lambda what=what: what(rows, report))
