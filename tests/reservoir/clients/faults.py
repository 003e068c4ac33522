# SPDX-License-Identifier: Apache-2.0
"""Every command that writes, on a disk that fails.  Each test_X is reservoir.clients.X.

Call after call is answered with an error, once, or from there on as a full disk does: the
command says so and ends, what was published is served as it was, and the same command
ends well when the disk does.  With FAULTS=1 every call fails, else one of each kind.
"""

import json
import os
import re
import shutil
import signal

from harness import carried, reservoir
from harness.faults import DENSE, SAID, Faults
from harness.world import check, hello, hello_debs

TEMPORARY = re.compile(r"\.new$|\.part$|\.whole$|\.(?!sqlite)[A-Za-z0-9]{6}$")
MESSAGE = re.compile("|".join(SAID.values()))
TELLING = os.environ.get("FAULTS_TELL")


def tell(told):
    """Print what was said of each kind of failure, to be read."""
    for (status, error, kind), said in sorted(told.items(), key=str):
        if TELLING:
            print(f"== {status} {error} {kind}\n{said}")


def leftovers(made):
    """Return the files that a writer left halfway."""
    found = []
    for folder, _, names in os.walk(made.store):
        inside = os.path.relpath(folder, made.store)
        found += [os.path.join(inside, name) for name in names
                  if inside.startswith("staging") or TEMPORARY.search(name)]
    return found


def look(made, numbers):
    """See that a store is whole, and has published one of the generations."""
    found = made.generation()
    check(found in numbers, f"generation {found} is published, of {numbers}")
    out = made.run("verify")
    check("all as it should be" in out, out)


def finish(made, words, numbers):
    """Run it again on a disk that is whole, and see that nothing is left over."""
    out = made.program(*words)
    check(made.generation() in numbers, f"generation {made.generation()}: {out}")
    if DENSE:
        made.run("gc", "--keep", "1")
        check("all as it should be" in made.run("verify"), "something is damaged")
    left = leftovers(made)
    check(not left, f"{left} are left over")


def walk(world, made, words, last, more=(), again=0, **options):
    """Have a command fail that publishes generation @last, and @again when run once more."""
    faults = Faults(world, made, [made.store, *more])
    before = made.generation()

    def after(status, said):
        if status != 0:
            check(MESSAGE.search(said), "it does not say what is wrong")
        look(made, (before, last))
        if status == 0:
            check(made.generation() == last, "it is no success")
        finish(made, words, (last, again))

    tell(faults.walk(words, after, **options))


def on(made, command, *words):
    return [command, "--store", made.store, *words]


def synced(world):
    hello(world.index)
    made = world.reservoir()
    made.configure([world.pypi_row()])
    made.sync()
    return made


def test_faults_in_init(world):
    made = reservoir.Reservoir(world, "hub")
    keys = world.folder("keys")
    words = on(made, "init", "--key", os.path.join(keys, "hub.key"))

    def after(status, said):
        if status != 0:
            check(MESSAGE.search(said), "it does not say what is wrong")
            made.program(*words)
        made.run("status")
        check(not leftovers(made), leftovers(made))

    tell(Faults(world, made, [made.store, keys]).walk(words, after))


def test_faults_in_sync_of_pypi(world):
    hello(world.index)
    made = world.reservoir()
    made.configure([world.pypi_row()])
    walk(world, made, on(made, "sync"), 1)


def test_faults_in_sync_of_apt(world):
    hello_debs(world.archive())
    made = world.reservoir()
    made.configure([world.apt_row()])
    walk(world, made, on(made, "sync"), 1)


def test_faults_in_sync_of_a_selection(world):
    hello_debs(world.archive())
    made = world.reservoir()
    made.configure([world.curated_row(["hello"])])
    walk(world, made, on(made, "sync"), 1)


def test_stopped_sync_reports_though_the_disk_hangs(world):
    """Its thread is heard of no more; what is done is told, and what is not."""
    hello_debs(world.archive())
    hello(world.index)
    made = world.reservoir()
    made.configure([world.pypi_row(), world.apt_row()])
    made.sync("pypi")
    faults = Faults(world, made, [made.store])
    _, _, calls = faults.run(on(made, "sync"))
    number = next(number for number, line in enumerate(calls, 1) if "write " in line
                  and "/staging/" in line)
    for words in ([], ["--json"]):
        faults.restore()
        child = faults.start(on(made, "sync", *words), f"{number}+=HANG")
        child.send_signal(signal.SIGTERM)
        said = child.communicate(timeout=reservoir.PATIENCE)[0]
        check(child.returncode == 3, f"exit status {child.returncode}: {said}")
        if words:
            results = [report["result"] for report in json.loads(said)]
            check(results == ["unchanged", "stopped"], said)
        else:
            check("pypi: unchanged" in said and "apt: stopped" in said, said)
    made.sync()


def test_faults_in_the_next_sync(world):
    made = synced(world)
    world.index.add("hello-lib", "1.6", payload=100_000)
    walk(world, made, on(made, "sync"), 2)


def pair(world):
    hello(world.index)
    found = carried.Pair(world, [world.pypi_row()])
    found.hub.sync()
    return found


def test_faults_in_export(world):
    found = pair(world)
    hub, out = found.hub, world.folder("carry")
    words = on(hub, "export", "--output", out)
    faults = Faults(world, hub, [hub.store, out])

    def after(status, said):
        if status != 0:
            check(MESSAGE.search(said), "it does not say what is wrong")
        look(hub, (1,))
        hub.program(*words)
        names = os.listdir(out)
        check(not [name for name in names if TEMPORARY.search(name)], names)
        manifests = [name for name in names if name.endswith(".manifest")]
        check(manifests, names)
        shutil.rmtree(found.site.store)
        shutil.copytree(world.join("site.empty"), found.site.store, symlinks=True)
        found.site.run("import", os.path.join(out, sorted(manifests)[-1]))

    shutil.copytree(found.site.store, world.join("site.empty"), symlinks=True)
    tell(faults.walk(words, after))


def test_faults_in_import(world):
    found = pair(world)
    walk(world, found.site, on(found.site, "import", found.export()[0]), 1)


def test_faults_in_watch(world):
    found = pair(world)
    drop = world.folder("drop")
    for path in found.export():
        shutil.copy(path, drop)
    walk(world, found.site, on(found.site, "watch", "--once", drop), 1, [drop])
    check(sorted(os.listdir(drop)) == ["done", "receipts", "rejected"], os.listdir(drop))


def test_faults_in_snapshot(world):
    made = synced(world)
    faults = Faults(world, made, [made.store])

    def after(status, said):
        if status != 0:
            check(MESSAGE.search(said), "it does not say what is wrong")
        look(made, (1,))
        made.run("snapshot", "kept", status=None)
        check("kept" in made.run("snapshot"), "there is no snapshot")
        check(not leftovers(made), leftovers(made))

    tell(faults.walk(on(made, "snapshot", "kept"), after))


def changed(world):
    """Return a store with two generations, of which the first has more."""
    made = synced(world)
    row = world.pypi_row()
    row["pypi"]["exclude"] = ["hello-lib"]
    made.configure([row])
    made.sync(status=None)
    check(made.generation() == 2, "nothing has changed")
    return made


def test_faults_in_rollback(world):
    made = changed(world)
    walk(world, made, on(made, "rollback", "1"), 3, again=4)


def test_faults_in_gc(world):
    made = changed(world)
    walk(world, made, on(made, "gc", "--keep", "1"), 2)


def test_faults_in_recall(world):
    made = synced(world)
    faults = Faults(world, made, [made.store])
    words = on(made, "recall", "pypi/packages/hello-lib/*")

    def after(status, said):
        if status != 0:
            check(MESSAGE.search(said), "it does not say what is wrong")
        look(made, (1, 2))
        made.program(*words, status=None)
        check(made.run("recall").count("recalled") == 2, "it is not recalled")
        check(not leftovers(made), leftovers(made))

    tell(faults.walk(words, after))


def test_faults_in_verify(world):
    """What cannot be put aside, or repaired, is said; nothing that is whole is lost."""
    made = synced(world)
    wheel = max((os.path.join(folder, name)
                 for folder, _, names in os.walk(os.path.join(made.store, "objects"))
                 for name in names), key=os.path.getsize)
    os.chmod(wheel, 0o644)
    with open(wheel, "r+b") as file:
        file.seek(100)
        file.write(b"damaged")
    faults = Faults(world, made, [made.store])
    words = on(made, "verify", "--repair")

    def after(status, said):
        if status != 0:
            check(MESSAGE.search(said), "it does not say what is wrong")
        made.run("verify", "--repair", status=None)
        check("all as it should be" in made.run("verify"), "something is damaged")
        check(not leftovers(made), leftovers(made))

    tell(faults.walk(words, after))
