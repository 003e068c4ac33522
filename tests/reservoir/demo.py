#!/usr/bin/env -S python3 -B
# SPDX-License-Identifier: Apache-2.0
"""Show silica-reservoir at work: a hub with an upstream, a site without one, and what is carried.

Each step checks what it prints; the exit status is 0 only if everything was as it has to be.
The site and its clients are in a network of their own that has no route out, where the kernel
lets a user make one.
"""

import argparse
import glob
import json
import os
import shutil
import subprocess
import sys
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

from harness import carried, clients, registries, reservoir, sandbox  # noqa: E402
from harness.reservoir import Failed, get  # noqa: E402
from harness.world import World, check  # noqa: E402

COLUMNS = 100
RECALLED = "packaging"
PROJECTS = ("requests", RECALLED)
PACKAGE = "hello"
SIMPLE = "/pypi/simple/"


class Transcript:
    """Lays out what a person reads."""

    def __init__(self):
        self.steps = 0

    def step(self, what, took=0.0):
        self.steps += 1
        line = f"{self.steps:2}  {what}"
        if took:
            line += f"{took:.3f} s".rjust(COLUMNS - len(line))
        print(f"\n{line}", flush=True)

    @staticmethod
    def note(text):
        print(f"    {text}", flush=True)

    def quote(self, text, most=8):
        lines = [line.rstrip() for line in text.splitlines() if line.strip()]
        for line in lines[-most:]:
            print(f"    | {line[:COLUMNS - 6]}", flush=True)


class Site:
    """What happens at the site; each method is called by name from outside."""

    def __init__(self, path, keyring, suite):
        self.keyring, self.suite = keyring, suite
        self.folder = sandbox.Folder("site")
        self.site = reservoir.Reservoir(self.folder, "site")
        self.site.store = os.path.join(path, "site")
        self.drop = os.path.join(path, "drop")

    def isolated(self):
        return not sandbox.has_route_out()

    def start(self):
        self.site.watch(self.drop)
        return True

    def applied(self, sequence):
        """Wait for a bundle to be applied; return how long it took."""
        def done():
            refused = glob.glob(os.path.join(self.drop, "rejected", "*.reason"))
            if refused:
                with open(refused[0], encoding="utf-8") as file:
                    raise Failed(file.read())
            return self.site.generation() >= sequence

        return reservoir.wait("the bundle to be applied", done)

    def serve(self):
        return self.site.serve()

    def pip(self, name, *projects):
        pip = clients.Pip(self.folder, name)
        return pip.install(self.site.url + SIMPLE, *projects)

    def pip_fails(self, name, *projects):
        pip = clients.Pip(self.folder, name)
        return pip.install(self.site.url + SIMPLE, *projects, fails=True)

    def apt(self, package):
        apt = clients.Apt(self.folder)
        apt.source(self.site.url + "/apt", self.keyring, suite=self.suite)
        out = apt.update()
        out += apt.run("apt-get", "install", "-y", "--download-only", "--no-install-recommends",
                       package)
        found = glob.glob(os.path.join(apt.root, f"var/cache/apt/archives/{package}_*.deb"))
        check(len(found) == 1, f"apt has {found}")
        apt.run("dpkg-deb", "-x", found[0], os.path.join(apt.home, "unpacked"))
        return out

    def page(self, project):
        return get(f"{self.site.url}{SIMPLE}{project}/")[0]

    def gone(self, project, url):
        return reservoir.wait("the recall", lambda: get(url)[0] == 404
                              and self.page(project) == 404)

    def file_of(self, project):
        """Return the URL of a file of a project, which is there."""
        status, _, body = get(f"{self.site.url}{SIMPLE}{project}/", {
            "Accept": "application/vnd.pypi.simple.v1+json"})
        check(status == 200, f"the page of {project} is {status}")
        name = json.loads(body)["files"][0]["url"].removeprefix("../../")
        url = f"{self.site.url}/pypi/{name}"
        check(get(url)[0] == 200, f"{url} is not there")
        return url

    def stop(self):
        self.site.stop()
        self.folder.__exit__()
        return True


def inside(path, keyring, suite):
    """Do what lines of JSON say, and answer with lines of JSON."""
    if sandbox.is_inside():
        sandbox.loopback_up()
    site = Site(path, keyring, suite)
    out = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    for line in sys.stdin:
        method, *words = json.loads(line)
        try:
            answer = {"value": getattr(site, method)(*words)}
        except Exception as error:  # pylint: disable=broad-except (told outside)
            answer = {"error": f"{error}"}
        print(json.dumps(answer), file=out, flush=True)


class Remote:
    """The site as seen from outside: a method's name is sent, and its value comes back."""

    def __init__(self, folder, keyring, suite):
        words = sandbox.unshare_command() or []
        env = {**os.environ, **({sandbox.INSIDE: "1"} if words else {})}
        self.alone = bool(words)
        self.child = subprocess.Popen(
            [*words, sys.executable, "-B", os.path.abspath(__file__), "--inside", folder.path,
             keyring, suite], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=env)
        folder.children.append(self.child)

    def __getattr__(self, method):
        def call(*words):
            self.child.stdin.write(json.dumps([method, *words]) + "\n")
            self.child.stdin.flush()
            line = self.child.stdout.readline()
            answer = json.loads(line) if line else {"error": "the site has ended"}
            if "error" in answer:
                raise Failed(answer["error"])
            return answer["value"]
        return call


def synthetic(world):
    """Return repositories of packages made from nothing."""
    world.index.add("requests", "2.0", requires=["idna", "urllib3>=1.21"], payload=100_000)
    world.index.add("idna", "3.0")
    world.index.add("urllib3", "2.0", payload=50_000)
    world.index.add(RECALLED, "24.0", payload=80_000)
    made = world.archive()
    made.add(PACKAGE, "2.10", depends="libc6", architecture="amd64", payload=50_000)
    made.add("libc6", "2.36", architecture="amd64", payload=500_000)
    made.publish()
    return [world.pypi_row(PROJECTS), world.curated_row([PACKAGE])], "stable"


def of_machine(world):
    """Return repositories of the machine's own registries."""
    rows = [registries.pypi_row(world, PROJECTS),
            registries.apt_row(world, (PACKAGE,), world.gpg("Site of a test"))]
    return rows, rows[1]["apt"]["suites"][0]


def choose(world, options):
    """Return the repositories, their suite, and what to say of them."""
    if not options.synthetic:
        try:
            rows, suite = of_machine(world)
            return rows, suite, "the registries that this machine's pip and apt are set to"
        except (sandbox.Skip, Failed) as reason:
            Transcript.note(f"Not from this machine's registries: {str(reason).splitlines()[0]}")
    rows, suite = synthetic(world)
    return rows, suite, "a small upstream made for the demo"


def size_of(paths):
    return sum(os.path.getsize(path) for path in paths)


def timed(call, *words):
    start = time.monotonic()
    value = call(*words)
    return value, time.monotonic() - start


def collect(out, pair):
    text, took = timed(lambda: pair.hub.run("sync", timeout=registries.PATIENCE))
    out.step(f"The hub syncs {', '.join(PROJECTS)} and {PACKAGE}, with what they need", took)
    out.quote(text)
    text, took = timed(lambda: pair.hub.run("verify"))
    out.step("Every object is read again and is what its name says", took)
    out.quote(text, 3)


def carry(out, pair, world):
    paths, took = timed(pair.export)
    out.step(f"A signed bundle for the site: {len(paths)} files, {size_of(paths):,} bytes", took)
    for path in paths:
        out.note(os.path.basename(path))
    drop = world.folder("drop")
    for path in paths[1:] + paths[:1]:
        shutil.copy(path, drop)


def install(out, remote):
    out.step("The site has no upstream" +
             (" and no route out; the bundle is in its drop directory" if remote.alone
              else "; a network of its own was not permitted here"))
    remote.start()
    took = remote.applied(1)
    check(not remote.alone or remote.isolated(), "there is a route out")
    out.note(f"watch applied it after {took:.3f} s")
    out.step("The server is ready", remote.serve())
    text, took = timed(remote.pip, "pip", *PROJECTS)
    out.step(f"pip install {' '.join(PROJECTS)}", took)
    out.quote(text, 1)
    check("Successfully installed" in text, text)
    text, took = timed(remote.apt, PACKAGE)
    out.step(f"apt-get update; apt-get install --download-only {PACKAGE}; its signature is the "
             "site's", took)
    out.quote("\n".join(line for line in text.splitlines() if line.startswith("Get:")), 4)


def recall(out, pair, world, remote, rows):
    url = remote.file_of(RECALLED)
    rows[0]["pypi"]["projects"] = [name for name in PROJECTS if name != RECALLED]
    rows[0]["pypi"]["exclude"] = [RECALLED]
    pair.configure_hub(rows)
    _, took = timed(lambda: pair.hub.run("sync", timeout=registries.PATIENCE))
    paths = pair.export()
    out.step(f"{RECALLED} is recalled: the hub drops it, and a bundle of {size_of(paths):,} bytes "
             "says so", took)
    for path in paths[1:] + paths[:1]:
        shutil.copy(path, world.folder("drop"))
    took = remote.gone(RECALLED, url)
    out.step("Its page and its file are gone from the site", took)
    text = remote.pip_fails("other", RECALLED)
    out.quote("\n".join(line for line in text.splitlines() if line.startswith("ERROR")), 2)
    remote.pip("another", "requests")
    out.note("requests still installs")


def play(out, world, options):
    for program in ("apt-get", "gpg", "dpkg-deb"):
        if not shutil.which(program):
            raise sandbox.Skip(f"{program} is not installed (see scripts/packages.txt, demo)")
    clients.Pip(world, "probe")
    rows, suite, where = choose(world, options)
    pair = carried.Pair(world, rows)
    out.step(f"A hub and a site; the hub's upstream is {where}")
    for row in rows:
        out.note(f"{row['name']}: {row['ecosystem']}, asked for "
                 f"{', '.join(row[row['ecosystem']].get('projects') or [PACKAGE])}")
    collect(out, pair)
    carry(out, pair, world)
    remote = Remote(world, world.gpg("Site of a test").public, suite)
    install(out, remote)
    recall(out, pair, world, remote, rows)
    _, took = timed(remote.stop)
    out.step("SIGTERM: the server ends with status 0", took)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--synthetic", action="store_true",
                        help="use an upstream made for the demo even where there is a network")
    parser.add_argument("--inside", nargs=3, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.inside:
        inside(*options.inside)
        return 0
    out = Transcript()
    print("\nReservoir\n=========")
    print("A hub fetches packages; a site without the internet gets them as a signed bundle.")
    with World("demo") as world:
        try:
            play(out, world, options)
        except sandbox.Skip as reason:
            print(f"\nThis part of the demo needs what is not here: {reason}")
            return 0
        except (Failed, OSError) as error:
            print(f"\nNOT AS IT HAS TO BE: {error}\n{world.tail()}")
            return 1
    print(f"\nAll {out.steps} steps were as they have to be.")
    return 0


sys.exit(main())
