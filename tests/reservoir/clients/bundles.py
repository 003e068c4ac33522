# SPDX-License-Identifier: Apache-2.0
"""A hub, bundles that are carried, and a site's clients.  test_X is reservoir.clients.X."""

import glob
import os
import shutil
import time

from harness import carried, reservoir
from harness.reservoir import get
from harness.world import check, hello, hello_debs

PAGE = "/pypi/simple/hello-lib/"


def filled(world):
    """Return an upstream's archive, and a hub and a site with the same repositories."""
    hello(world.index)
    made = hello_debs(world.archive())
    pair = carried.Pair(world, [world.pypi_row(), world.apt_row()])
    pair.hub.sync()
    return made, pair


def test_site_installs_what_was_carried(world):
    _, pair = filled(world)
    site = pair.site
    pair.carry()
    world.upstream.close()
    site.serve()
    pip = world.pip()
    pip.install(site.url + "/pypi/simple/", "hello-world")
    check(pip.version("hello_lib") == "1.5", "it is not installed")
    apt = world.apt()
    apt.source(site.url + "/apt", world.gpg().public)
    apt.update()
    apt.install("hello")
    check(apt.installed() == {"hello": "1.0", "libhello": "1.2"}, apt.installed())


def test_site_signs_what_was_carried(world):
    """The hub need not have the site's key."""
    hello_debs(world.archive(valid_for=7 * 86400))
    pair = carried.Pair(world, [world.curated_row(["hello"])])
    pair.hub.sync()
    key = world.gpg("Other site of a test")
    pair.configure_site(lambda row: row["apt"].update(signingKey=key.secret))
    pair.carry()
    pair.site.serve()
    apt = world.apt()
    apt.source(pair.site.url + "/apt", key.public)
    apt.update(days=30)
    apt.install("hello")
    check("hello" in apt.installed(), apt.installed())


def test_site_follows_by_small_bundles(world):
    made, pair = filled(world)
    pair.carry()
    first = pair.bundle_bytes
    world.index.add("hello-lib", "1.6")
    made.add("hello", "2.0", depends="libhello (>= 1)")
    made.publish()
    pair.hub.sync()
    pair.carry()
    check(pair.bundle_bytes < first / 4, f"{pair.bundle_bytes} bytes after {first}")
    pair.site.serve()
    pip = world.pip()
    pip.install(pair.site.url + "/pypi/simple/", "hello-world")
    check(pip.version("hello_lib") == "1.6", f"{pip.version('hello_lib')} is installed")
    apt = world.apt()
    apt.source(pair.site.url + "/apt", world.gpg().public)
    apt.update()
    apt.install("hello")
    check(apt.version("hello") == "2.0", f"{apt.version('hello')} is installed")


def test_site_names_the_bundles_that_are_missing(world):
    _, pair = filled(world)
    pair.carry()
    world.index.add("hello-lib", "1.6")
    pair.hub.sync()
    pair.export()
    world.index.add("hello-lib", "1.7")
    pair.hub.sync()
    third = pair.export()
    out = pair.site.run("import", *third, status=None)
    check("missing" in out and "2" in out, out)
    check(pair.site.generation() == 1, "it was applied")


def test_watch_applies_what_is_dropped(world):
    """Files arrive slowly, in pieces and in the wrong order."""
    _, pair = filled(world)
    drop = world.folder("drop")
    watcher = pair.site.watch(drop)
    directory = os.path.dirname(pair.export()[0])
    for path in sorted(glob.glob(os.path.join(directory, "*")), reverse=True):
        target = os.path.join(drop, os.path.basename(path))
        with open(path, "rb") as source, open(target, "wb", buffering=0) as out:
            data = source.read()
            for at in range(0, len(data), 1 + len(data) // 3):
                out.write(data[at:at + 1 + len(data) // 3])
                time.sleep(0.02)
    reservoir.wait("the bundle to be applied", lambda: glob.glob(os.path.join(drop, "done", "*")))
    check(watcher.poll() is None, "the watcher has ended")
    pair.site.serve()
    pip = world.pip()
    pip.install(pair.site.url + "/pypi/simple/", "hello-world")
    check(pip.version("hello_lib") == "1.5", "it is not installed")


def test_watch_lives_with_a_flooded_directory(world):
    """It says what it leaves alone, also to /metrics, and applies what is a bundle."""
    _, pair = filled(world)
    site, drop = pair.site, world.folder("drop")
    paths = pair.export()
    for number in range(5000):
        os.mknod(os.path.join(drop, f"{number:0200d}"))
    os.mkfifo(os.path.join(drop, "fifo"))
    os.symlink("/dev/zero", os.path.join(drop, "endless"))
    os.mkdir(os.path.join(drop, os.path.basename(paths[0]).replace("-1.", "-9.")))
    watcher = site.watch(drop)
    reservoir.wait("a look", lambda: (site.status()["arrivals"] or {}).get("foreign") == 5003)
    for path in paths:
        shutil.copy(path, drop)
    reservoir.wait("the bundle to be applied", lambda: glob.glob(os.path.join(drop, "done", "*")))
    with open(f"/proc/{watcher.pid}/stat", encoding="ascii") as file:
        ticks = [int(word) for word in file.read().rsplit(")", 1)[1].split()[11:13]]
    time.sleep(4)  # one look more
    with open(f"/proc/{watcher.pid}/stat", encoding="ascii") as file:
        now = [int(word) for word in file.read().rsplit(")", 1)[1].split()[11:13]]
    print(f"one look took {sum(now) - sum(ticks)} ticks of the processor")
    site.serve()
    text = get(site.url + "/metrics")[2].decode()
    check('silica_reservoir_arrival_files{state="foreign"} 5003' in text, text)
    check("5003 are of no bundle" in site.run("status"), site.run("status"))
    shutil.rmtree(drop)
    os.mkdir(drop)
    reservoir.wait("a look", lambda: site.status()["arrivals"]["foreign"] == 0)
    check(watcher.poll() is None, "the watcher has ended")


def test_recall_reaches_pip_at_once(world):
    _, pair = filled(world)
    pair.carry()
    pair.site.serve()
    url = pair.site.url
    file = url + "/pypi/packages/hello-lib/hello_lib-1.5-py3-none-any.whl"
    check(get(file, method="HEAD")[0] == 200, "the file is not here before the recall")
    drop = world.folder("drop")
    pair.site.watch(drop)
    row = world.pypi_row()
    row["pypi"]["exclude"] = ["hello-lib"]
    pair.configure_hub([row, world.apt_row()])
    pair.hub.sync(status=None)
    paths = pair.export()
    for path in paths[1:] + paths[:1]:
        shutil.copy(path, drop)
    start = time.monotonic()
    reservoir.wait("the recall", lambda: get(file, method="HEAD")[0] == 404)
    took = time.monotonic() - start
    print(f"the file was gone {took:.2f} s after the bundle was dropped")
    check(took < 10, f"the recall took {took:.1f} s")
    check(get(url + PAGE)[0] == 404, "its page is there")
    world.pip().install(url + "/pypi/simple/", "hello-lib", fails=True)
    check(pair.bundle_bytes < 200_000, f"the recall weighs {pair.bundle_bytes} bytes")


def test_explain_names_the_bundle(world):
    _, pair = filled(world)
    pair.carry()
    world.index.add("hello-late", "1.0")
    row = world.pypi_row()
    row["pypi"]["projects"] = [*row["pypi"]["projects"], "hello-late"]
    pair.configure_hub([row, world.apt_row()])
    pair.hub.sync()
    pair.carry()
    for package, words in (("hello-lib", "came with bundle 1 of hub"),
                           ("hello-late", "came with bundle 2 of hub"),
                           ("Hello_Late", "configured at the hub\n  came with bundle 2"),
                           ("hello", "came with bundle 1 of hub"),
                           ("nowhere", "no bundle has brought nowhere; the last one is 2")):
        out = pair.site.run("explain", package)
        check(words in out, out)
        check("every package of the suites" not in out, out)
        check("nothing that is configured" not in out, out)


def test_recall_reaches_snapshots(world):
    """Its index still lists it there, and the file is given to nobody, whatever is published."""
    _, pair = filled(world)
    pair.carry()
    site = pair.site
    site.run("snapshot", "before")
    site.serve()
    path = "/pypi/packages/hello-lib/hello_lib-1.5-py3-none-any.whl"
    files = [site.url + path, site.url + "/snapshot/before" + path]
    for file in files:
        check(get(file)[0] == 200, f"{file} is not here before the recall")
    out = pair.hub.run("recall", "pypi/packages/hello-lib/*")
    check("hello_lib-1.5" in out, out)
    pair.carry()
    for file in files:
        reservoir.wait("the recall", lambda file=file: get(file)[0] == 410)
        check(get(file, headers={"Range": "bytes=0-9"})[0] == 410, "a part of it is given out")
    check(pair.bundle_bytes < 200_000, f"the recall weighs {pair.bundle_bytes} bytes")
    pair.hub.run("gc")
    pair.hub.sync(status=None)
    out = pair.hub.sync(status=None)
    check(out.count("unchanged") == 2, f"what was recalled is looked for again: {out}")
    pair.carry()
    check(b"hello_lib-1.5" not in get(site.url + PAGE)[2], "its page still lists it")
    world.pip().install(site.url + "/snapshot/before/pypi/simple/", "hello-lib", fails=True)
    site.run("rollback", "before")
    site.run("gc")
    site.run("verify")
    for file in files:
        check(get(file)[0] == 410, f"{file} is back")
