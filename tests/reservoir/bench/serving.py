# SPDX-License-Identifier: Apache-2.0
"""Answers a second: pages of three sizes and files, beside nginx and pypiserver."""

import gzip
import os
import shutil
import subprocess
import time

from bench import tools
from harness import reservoir
from harness.reservoir import get
from harness.world import World

PAGES = {"small": 20, "medium": 400, "large": 5000}  # files of a project
FILE_BYTES = 2_000_000
SECONDS = 2
ACCEPT = ("application/vnd.pypi.simple.v1+json, application/vnd.pypi.simple.v1+html; q=0.1, "
          "text/html; q=0.01")
KIND = "application/vnd.pypi.simple.v1+json"
GZIP = "Accept-Encoding: gzip"
FILE = "payload-1.0-py3-none-any.whl"


def fill(world):
    for name, files in PAGES.items():
        for number in range(files):
            world.index.add(name, f"1.{number}")
    world.index.add("payload", payload=FILE_BYTES)


class Server:
    """A server of the same pages; what it cannot do has no URL."""

    patience = False  # whether errors are taken for slowness, and large pages left out

    def __init__(self, name, url, file=None):
        self.name, self.url, self.file = name, url, file

    def page(self, project):
        return f"{self.url}/{project}/"


def own(world):
    """Return the reservoir, pinned as the others are."""
    hub = world.reservoir()
    threads = len(tools.cpus()[1])
    hub.configure([world.pypi_row([*PAGES, "payload"], dependencies=False)],
                  serve={"threads": threads})
    hub.sync(timeout=600)
    hub.serve()
    subprocess.run(["taskset", "-a", "-p", "-c", ",".join(map(str, tools.cpus()[1])),
                    str(hub.server.pid)], check=True, capture_output=True)
    return hub, Server("reservoir", hub.url + "/pypi/simple",
                       hub.url + "/pypi/packages/payload/" + FILE)


def tree(world, hub, compressed):
    """Write the reservoir's own pages as files; return their directory."""
    root = world.folder("tuned" if compressed else "plain")
    for project in [*PAGES, "payload"]:
        body = get(f"{hub.url}/pypi/simple/{project}/", {"Accept": KIND})[2]
        world.write(f"{root}/simple/{project}/index.json", body)
        if compressed:
            world.write(f"{root}/simple/{project}/index.json.gz", gzip.compress(body, 9, mtime=0))
    world.write(f"{root}/files/{FILE}", world.index.data[f"files/{FILE}"])
    return root


def tuned(world, hub):
    made = tools.Nginx(world, tree(world, hub, True), name="nginx-tuned",
                       server="index index.json;")
    return Server("nginx tuned", made.url + "/simple", f"{made.url}/files/{FILE}")


def plain(world, hub):
    made = tools.Nginx(world, tree(world, hub, False), http=tools.PLAIN, name="nginx-plain",
                       server="index index.$suffix;")
    return Server("nginx of bandersnatch", made.url + "/simple", f"{made.url}/files/{FILE}")


def pypiserver(world, programs):
    root = world.folder("packages")
    for name, data in world.index.data.items():
        if name.endswith(".whl"):
            world.write(f"{root}/{os.path.basename(name)}", data)
    port = tools.sandbox.free_port()
    child = world.start(["taskset", "-c", ",".join(map(str, tools.cpus()[1])),
                         f"{programs}/pypi-server", "run", "-p", str(port), "-i", "127.0.0.1",
                         "--backend", "cached-dir", root],
                        log="pypiserver.log")
    server = Server("pypiserver", f"http://127.0.0.1:{port}/simple",
                    f"http://127.0.0.1:{port}/packages/{FILE}")
    server.patience = True

    def ready():
        if child.poll() is not None:
            raise RuntimeError("pypiserver has ended")
        return tools.answers(server.page("small"))

    tools.wait("pypiserver", ready)
    return server


def loads(server):
    """Yield (name, url, headers) of what is measured."""
    accept = f"Accept: {ACCEPT}"
    if server.patience:
        yield "small page, gzip", server.page("small"), (accept, GZIP)
        return
    for size in PAGES:
        yield f"{size} page, gzip", server.page(size), (accept, GZIP)
    yield "large page, identity", server.page("large"), (accept, "Accept-Encoding: identity")
    etag = get(server.page("small"), {"Accept": ACCEPT, "Accept-Encoding": "gzip"})[1]["ETag"]
    yield "small page, 304", server.page("small"), (accept, GZIP, f"If-None-Match: {etag}")
    yield "file of 2 MB", server.file, ()


def measure_loads(servers, runs):
    """Return {load: {server: (rates, p99s, bytes)}}, the servers taking turns."""
    found = {}
    for _ in range(runs):
        for server in servers:
            for name, url, headers in loads(server):
                row = found.setdefault(name, {})
                series = row.setdefault(server.name, tuple(tools.Series() for _ in range(3)))
                done = tools.Load(url, headers, SECONDS, 8 if server.patience else 32,
                                  errors=server.patience)
                for each, value in zip(series, (done.rate, done.p99, done.bytes)):
                    each.add(value)
    return found


def ratio_target(report, found, load, want, text):
    row = found.get(load, {})
    if "reservoir" not in row or "nginx tuned" not in row:
        report.target(text, None, "")
        return
    which = 2 if load.startswith("file") else 0
    ratio = row["reservoir"][which].median / row["nginx tuned"][which].median
    report.target(text, ratio >= want, f"{ratio:.2f} x")


def write_rows(report, servers, found):
    names = [server.name for server in servers]
    rows = report.table("Answers", names)
    for load, row in found.items():
        if load.startswith("file"):
            rows.append((f"{load}, GB/s", [
                tools.scaled_series(row[n][2], 1e-9).text("{:.2f}") if n in row else "-"
                for n in names]))
            continue
        rows.append((f"{load}, /s", [row[n][0].text("{:,.0f}") if n in row else "-"
                                     for n in names]))
        rows.append((f"{load}, p99 ms", [row[n][1].text("{:.1f}") if n in row else "-"
                                         for n in names]))


def measure(programs, report, runs):
    with World("serving") as world:
        fill(world)
        hub, server = own(world)
        servers = [server]
        if tools.has("nginx"):
            servers += [tuned(world, hub), plain(world, hub)]
        if programs and os.path.exists(f"{programs}/pypi-server"):
            try:
                servers.append(pypiserver(world, programs))
            except RuntimeError as error:
                report.note(f"pypiserver could not be measured: {error}.")
        same_pages(servers)
        found = measure_loads(servers, runs)
        hub.stop()
    write_rows(report, servers, found)
    ratio_target(report, found, "small page, gzip", 1.2, "T7: small page >= 1.2 x tuned nginx")
    ratio_target(report, found, "large page, gzip", 1.0, "T7: large page >= 1.0 x tuned nginx")
    ratio_target(report, found, "small page, 304", 1.5, "T7: 304 >= 1.5 x tuned nginx")
    ratio_target(report, found, "file of 2 MB", 0.95, "T8: files >= 0.95 x nginx's sendfile")
    small = found["small page, gzip"]
    if "nginx tuned" in small:
        mine, theirs = small["reservoir"][1].median, small["nginx tuned"][1].median
        report.target("T7: p99 of the small page no worse", mine <= theirs,
                      f"{mine:.1f} ms against {theirs:.1f} ms")
    report.note("Pages: the JSON page of a project with "
                f"{', '.join(f'{n:,} ({s})' for s, n in PAGES.items())} files, with pip's Accept; "
                "nginx serves the reservoir's own pages from files. All write an access log; the "
                "reservoir negotiates, checks who asks, and counts.")
    report.note(f"wrk with one thread and 32 connections for {SECONDS} s on CPU "
                f"{tools.cpus()[0]}, the servers on {tools.cpus()[1]}, taking turns; pypiserver "
                "with 8 connections and the small page only, as it is too slow for more.")


def same_pages(servers):
    """Refuse to compare servers that answer with different pages."""
    first = get(servers[0].page("large"), {"Accept": ACCEPT})[2]
    for server in servers[1:]:
        if not server.patience and get(server.page("large"), {"Accept": ACCEPT})[2] != first:
            raise RuntimeError(f"{server.name} serves another page than {servers[0].name}")


HOT = 10_000
LUA = """
local n = 0
request = function()
    n = (n + 1) % {hot}
    return wrk.format("GET", "/pypi/simple/hot-" .. n .. "/")
end
"""


def measure_hot(report):
    """Ask for many projects, and look at the server's memory."""
    with World("hot") as world:
        for number in range(HOT):
            world.index.add(f"hot-{number}")
        hub = world.reservoir()
        hub.configure([world.pypi_row(["hot-*"], dependencies=False)])
        start = time.monotonic()
        hub.sync(timeout=900)
        took = time.monotonic() - start
        hub.serve()
        script = world.write("hot.lua", LUA.format(hot=HOT))
        tools.Load(hub.url, (f"Accept: {ACCEPT}", GZIP), 5, script=script)
        used = tools.rss(hub.server.pid)
        hub.stop()
    report.target(f"T9: server with {HOT:,} hot projects <= 64 MB", used <= 64e6,
                  f"{used / 1e6:.0f} MB")
    return used, took


def measure_start(report, entries=1_000_000):
    """Start a server on a store with many entries, made by reservoir-bigstore."""
    maker = os.path.join(os.path.dirname(reservoir.program()), "reservoir-bigstore")
    with World("start") as world:
        hub = reservoir.Reservoir(world, "big")
        if not os.access(maker, os.X_OK):
            report.target("T10: ready <= 0.5 s with 1 M entries", None, "")
            return None
        tools.Run([maker, hub.store, str(entries)])
        hub.configure([])
        times = tools.Series()
        for _ in range(tools.RUNS):
            times.add(hub.serve())
            used = tools.rss(hub.server.pid)
            hub.stop()
        shutil.rmtree(hub.store)
    report.target("T10: ready <= 0.5 s with 1 M entries", times.median <= 0.5,
                  f"{times.median:.2f} s")
    return times, used
