# SPDX-License-Identifier: Apache-2.0
"""Answers a second: pages of three sizes and files, beside nginx, pypiserver and devpi."""

import gzip
import os
import subprocess

from bench import peers, tools
from bench.peers import ACCEPT, FILE, KIND, Server
from harness.reservoir import Failed, get
from harness.world import World

PAGES = {"small": 20, "medium": 400, "large": 5000}  # files of a project
FILE_BYTES = 2_000_000
SECONDS = 2
GZIP = "Accept-Encoding: gzip"
TUNED = "nginx tuned"


def fill(world):
    for name, files in PAGES.items():
        for number in range(files):
            world.index.add(name, f"1.{number}")
    world.index.add("payload", payload=FILE_BYTES)


def own(world):
    """Return the reservoir, pinned as the others are."""
    hub = world.reservoir()
    threads = len(tools.cpus()[1])
    hub.configure([world.pypi_row([*PAGES, "payload"], dependencies=False)],
                  serve={"threads": threads})
    hub.sync(timeout=600)
    hub.serve()
    peers.pin(hub.server.pid)
    return hub, Server("reservoir", hub.url + "/pypi/simple",
                       hub.url + "/pypi/packages/payload/" + FILE, pid=hub.server.pid)


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


def tuned(world, hub, _programs):
    made = tools.Nginx(world, tree(world, hub, True), name="nginx-tuned",
                       server="index index.json;")
    return Server(TUNED, made.url + "/simple", f"{made.url}/files/{FILE}",
                  pid=made.child.pid)


def plain(world, hub, _programs):
    made = tools.Nginx(world, tree(world, hub, False), http=tools.PLAIN, name="nginx-plain",
                       server="index index.$suffix;")
    return Server("nginx of bandersnatch", made.url + "/simple", f"{made.url}/files/{FILE}",
                  pid=made.child.pid)


def loads(server):
    """Yield (name, url, headers) of what is measured."""
    accept = f"Accept: {ACCEPT}"
    for size in server.sizes or PAGES:
        yield f"{size} page, gzip", server.page(size), (accept, GZIP)
    yield "file of 2 MB", server.file, ()
    if server.slow:
        return
    yield "large page, identity", server.page("large"), (accept, "Accept-Encoding: identity")
    etag = get(server.page("small"), {"Accept": ACCEPT, "Accept-Encoding": "gzip"})[1]["ETag"]
    yield "small page, 304", server.page("small"), (accept, GZIP, f"If-None-Match: {etag}")


MEASURES = ("rate", "p99", "bytes", "cpu")  # the last: microseconds of an answer


class Loads:
    """What was measured: {load: {server: {measure: its runs}}}."""

    def __init__(self, servers, report):
        self.servers, self.report = list(servers), report
        self.found = {}

    def measure(self, runs):
        """Put the loads to the servers, which take turns; the slow ones when the others are done.

        They go on with what they were asked after the load has ended, beside whose turn is next.
        """
        for slow in (False, True):
            for _ in range(runs):
                for server in [server for server in self.servers if server.slow == slow]:
                    self.try_server(server)

    def try_server(self, server):
        """Put the loads to a server; one that fails has no more."""
        try:
            self.measure_server(server)
        except (Failed, OSError, RuntimeError) as error:
            self.servers.remove(server)
            self.report.note(f"{server.name} was measured no further: {error}.")

    def measure_server(self, server):
        for name, url, headers in loads(server):
            row = self.found.setdefault(name, {})
            before = tools.cpu_time(server.pid) if server.pid else 0
            done = tools.Load(url, headers, SECONDS, peers.SLOW_CONNECTIONS if server.slow else 32,
                              errors=server.slow)
            spent = tools.cpu_time(server.pid) - before if server.pid else 0
            series = row.setdefault(server.name, {each: tools.Series() for each in MEASURES})
            for each, value in zip(MEASURES, (done.rate, done.p99, done.bytes,
                                              spent / max(done.answers, 1) * 1e6)):
                if value > 0:  # wrk has no latency to tell of when hardly anything came
                    series[each].add(value)

    def ratio(self, load, measure):
        """Return what the reservoir has of nginx's figure, or None."""
        row = self.found.get(load, {})
        if not all(name in row and row[name][measure].values for name in ("reservoir", TUNED)):
            return None
        return row["reservoir"][measure].median / row[TUNED][measure].median


def ratio_target(report, found, load, want, text):
    ratio = found.ratio(load, "bytes" if load.startswith("file") else "rate")
    report.target(text, ratio and ratio >= want, f"{ratio:.2f} x" if ratio else "")


def write_rows(report, servers, found):
    names = [server.name for server in servers]
    rows = report.table("Answers", names)

    def add(load, measure, unit, form, factor=1):
        rows.append((f"{load}, {unit}", [
            tools.scaled_series(found[load][name][measure], factor).text(form)
            if name in found[load] else "-" for name in names]))

    for load in found:
        if load.startswith("file"):
            add(load, "bytes", "GB/s", "{:.2f}", 1e-9)
        else:
            add(load, "rate", "/s", "{:,.0f}")
            add(load, "p99", "p99 ms", "{:.1f}")
        add(load, "cpu", "CPU us", "{:.0f}")


# Who answers beside it, and what must be installed for that.
OTHERS = (("nginx", tuned), ("nginx", plain), (None, peers.own_cache),
          ("devpi-server", peers.devpi), ("pypi-server", peers.pypiserver))


def has(program, programs):
    return program is None or tools.has(program) or (
        programs and os.path.exists(f"{programs}/{program}"))


def others(world, hub, programs, report):
    """Yield the peers that can be had, with everything fetched that will be asked for."""
    for program, start in OTHERS:
        name = start.__name__
        if not has(program, programs):
            report.note(f"{name}: there is no {program}.")
            continue
        try:
            server = start(world, hub, programs)
            for _, url, _ in loads(server):
                get(url, {"Accept": ACCEPT, "Accept-Encoding": "gzip"})
            if not server.slow and not same_page(server, hub):
                raise RuntimeError("it serves another page than the reservoir")
            yield server
        except (Failed, OSError, RuntimeError, ValueError, LookupError,
                subprocess.SubprocessError) as error:
            report.note(f"{name} could not be measured: {error}.")


def same_page(server, hub):
    headers = {"Accept": ACCEPT}
    return get(server.page("large"), headers)[2] == get(
        f"{hub.url}/pypi/simple/large/", headers)[2]


def measure(programs, report, runs):
    with World("serving") as world:
        fill(world)
        hub, server = own(world)
        servers = [server, *others(world, hub, programs, report)]
        found = Loads(servers, report)
        found.measure(runs)
        hub.stop()
    write_rows(report, servers, found.found)
    ratio_target(report, found, "small page, gzip", 1.2, "T7: small page >= 1.2 x tuned nginx")
    ratio_target(report, found, "large page, gzip", 1.0, "T7: large page >= 1.0 x tuned nginx")
    ratio_target(report, found, "small page, 304", 1.5, "T7: 304 >= 1.5 x tuned nginx")
    p99 = found.ratio("small page, gzip", "p99")
    report.target("T7: p99 of the small page no worse than tuned nginx", p99 and p99 <= 1,
                  f"{p99:.2f} x" if p99 else "")
    ratio_target(report, found, "file of 2 MB", 0.95, "T8: files >= 0.95 x nginx's sendfile")
    report.note("Pages: the JSON page of a project with "
                f"{', '.join(f'{n:,} ({s})' for s, n in PAGES.items())} files, with pip's Accept; "
                "nginx serves the reservoir's own pages from files. All write an access log; the "
                "reservoir negotiates, checks who asks, and counts. The caches have the reservoir "
                "as upstream, and everything fetched before they are measured.")
    report.note(f"wrk with one thread and 32 connections for {SECONDS} s on CPU "
                f"{tools.cpus()[0]}, the servers on {tools.cpus()[1]}, taking turns; pypiserver "
                f"and devpi with {peers.SLOW_CONNECTIONS} connections and the smaller pages only, "
                "as they are too slow for more. CPU us: of an answer, by the server's processes. "
                "wrk has one CPU too, and is often what is slowest.")
