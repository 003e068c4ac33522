# SPDX-License-Identifier: Apache-2.0
"""What a sync of APT takes, refuses and asks for.  Each test_X is reservoir.clients.X."""

import gzip
import hashlib
import os
import re
import time
from email.utils import parsedate_to_datetime

from harness import archive, packages, reservoir
from harness.reservoir import get
from harness.world import check, hello_debs

INCOMPLETE = 3  # or refused
RELEASE = "/apt/dists/stable/InRelease"
DAY = 86400


def hub_of(world, *rows):
    hub = world.reservoir()
    hub.configure(rows or [world.apt_row()])
    return hub


def has(text, *words):
    for word in words:
        check(word in text, f"'{word}' is not in:\n{text}")


def upstream_file(world, path):
    return os.path.join(world.upstream.apt, path)


def test_apt_sync_asks_once_when_nothing_changed(world):
    hello_debs(world.archive())
    hub = hub_of(world)
    hub.sync()
    world.upstream.seen()
    has(hub.sync(), "unchanged")
    check(world.upstream.seen() == [RELEASE], "it asked for more")


def test_apt_sync_fetches_only_what_is_new(world):
    made = hello_debs(world.archive())
    hub = hub_of(world)
    hub.sync()
    made.add("another", "1.0")
    made.publish(int(time.time()) + 5)
    world.upstream.seen()
    hub.sync()
    debs = [path for path in world.upstream.seen() if path.endswith(".deb")]
    check(debs == ["/apt/pool/main/a/another/another_1.0_all.deb"], debs)


def test_apt_sync_refuses_what_was_changed(world):
    hello_debs(world.archive())
    hub = hub_of(world)
    path = upstream_file(world, "dists/stable/InRelease")
    with open(path, "rb") as file:
        data = file.read()
    archive.write(path, data.replace(b"Origin: Example", b"Origin: Another"))
    has(hub.sync(status=INCOMPLETE), "it was changed")
    archive.write(path, b"Origin: Before\n" + data)
    has(hub.sync(status=INCOMPLETE), "not one clear-signed text")
    os.remove(path)
    archive.write(upstream_file(world, "dists/stable/Release.gpg"), b"nothing")
    has(hub.sync(status=INCOMPLETE), "stable")
    check(hub.generation() == 0, "something was published")
    archive.write(path, data)
    hub.sync()


def test_apt_sync_refuses_indexes_that_contradict_each_other(world):
    """One file, of which two indexes say different things: no order of them is taken."""
    made = hello_debs(world.archive(components=("extra", "main")))
    hub = hub_of(world)
    hub.sync()
    before = hub.generation()
    made.add("both", "1.0")
    key = ("both", "1.0")
    right = made.stanzas["main"][key]
    for number, (field, wrong) in enumerate((("SHA256", "0" * 64), ("Size", "17"))):
        other = re.sub(f"{field}: .*", f"{field}: {wrong}", right)
        for turn, (main, extra) in enumerate(((right, other), (other, right))):
            made.stanzas["main"][key], made.stanzas["extra"][key] = main, extra
            made.publish(int(time.time()) + 5 * (2 * number + turn + 1))
            has(hub.sync(status=INCOMPLETE), "pool/main/b/both/both_1.0_all.deb' is listed with "
                "two different hashes or sizes")
            check(hub.generation() == before, f"{field} in turn {turn} is published")
    made.stanzas["main"][key] = made.stanzas["extra"][key] = right
    made.publish(int(time.time()) + 30)
    has(hub.sync(), "published")


def test_apt_sync_refuses_other_keys(world):
    hello_debs(world.archive())
    row = world.apt_row()
    row["apt"]["keyring"] = world.gpg("Site of a test").public
    has(hub_of(world, row).sync(status=INCOMPLETE), "not in the keyring")


def test_apt_sync_says_when_nobody_looks(world):
    hello_debs(world.archive())
    row = world.apt_row(unverified=True)
    del row["apt"]["keyring"]
    has(hub_of(world, row).sync(), "signatures are not checked")


def test_apt_sync_takes_release_without_inrelease(world):
    hello_debs(world.archive())
    os.remove(upstream_file(world, "dists/stable/InRelease"))
    hub = hub_of(world)
    hub.sync()
    world.upstream.seen()
    has(hub.sync(), "unchanged")
    check(len(world.upstream.seen()) <= 3, "more than three requests")


def test_apt_sync_is_no_success_without_a_package(world):
    hello_debs(world.archive())
    hub = hub_of(world)
    path = upstream_file(world, "pool/main/h/hello/hello_1.0_all.deb")
    os.rename(path, path + ".away")
    archive.write(path, b"something else")
    has(hub.sync(status=INCOMPLETE), "apt: incomplete", "pool/main/h/hello/hello_1.0_all.deb")
    check(hub.generation() == 0, "something was published")
    os.rename(path + ".away", path)
    world.upstream.seen()
    hub.sync()
    debs = {path for path in world.upstream.seen() if path.endswith(".deb")}
    check(debs == {"/apt/pool/main/h/hello/hello_1.0_all.deb"}, debs)


def goes_without(world, row):
    """Sync where a package is listed and not there, until it is; return the sizes of Packages."""
    made = hello_debs(world.archive())
    for number in range(4):
        made.add(f"more-{number}", "1.0")
    made.publish(int(time.time()) + 5)
    hub = hub_of(world, row)
    name = "hello_1.0_all.deb"
    path = upstream_file(world, f"pool/main/h/hello/{name}")
    os.rename(path, path + ".away")
    told = hub.sync(status=INCOMPLETE)
    has(told, "apt: published as generation 1, 1 missing", f"missing: pool/main/h/hello/{name}",
        "the upstream lists it, and does not have it")
    hub.serve()
    lacking = served_packages(hub)
    check(get(f"{hub.url}/apt/pool/main/h/hello/{name}")[0] == 404, "it is there")
    check(get(f"{hub.url}/apt/pool/main/m/more-1/more-1_1.0_all.deb")[0] == 200, "it is not there")
    # It is asked for each time, and each time no success.
    world.upstream.seen()
    has(hub.sync(status=INCOMPLETE), "apt: unchanged, 1 missing")
    check(f"/apt/pool/main/h/hello/{name}" in world.upstream.seen(), "nobody asked for it")
    os.rename(path + ".away", path)
    has(hub.sync(), "apt: published as generation 2")
    check(get(f"{hub.url}/apt/pool/main/h/hello/{name}")[0] == 200, "it is not there")
    has(hub.sync(), "apt: unchanged")
    return lacking, served_packages(hub)


def served_packages(hub):
    path = "apt/dists/stable/main/binary-amd64/Packages.gz"
    return gzip.decompress(get(f"{hub.url}/{path}")[2]).decode()


def test_apt_sync_goes_without_what_is_not_there(world):
    lacking, whole = goes_without(world, world.apt_row())
    check(lacking == whole, "upstream's bytes were changed")


def test_apt_sync_curates_without_what_is_not_there(world):
    lacking, whole = goes_without(world, world.curated_row())
    check("Package: hello\n" not in lacking and "Package: more-1\n" in lacking, lacking)
    check("Package: hello\n" in whole, whole)


def recalls(world, row):
    """Recall a package, and give it out again; return the packages listed in between."""
    hello_debs(world.archive())
    hub = hub_of(world, row)
    hub.sync()
    hub.serve()
    file = f"{hub.url}/apt/pool/main/h/hello/hello_1.0_all.deb"
    hub.run("recall", "apt/pool/main/h/hello/*")
    reservoir.wait("the recall", lambda: get(file)[0] == 410)
    has(hub.sync(), "recalled")
    has(hub.sync(), "apt: unchanged")
    listed = served_packages(hub)
    check(get(file)[0] != 200, "it is given out")
    has(hub.run("explain", "hello"), "hello_1.0_all.deb of generation 1 was recalled")
    hub.run("recall", "--undo", re.search("[0-9a-f]{64}", hub.run("recall")).group())
    hub.sync()
    check("Package: hello\n" in served_packages(hub), "it is not back")
    reservoir.wait("the file", lambda: get(file)[0] == 200)
    return listed


def test_apt_sync_curates_without_what_is_recalled(world):
    check("Package: hello\n" not in recalls(world, world.curated_row()), "it is listed")


def test_apt_sync_recalls_from_what_upstream_signs(world):
    check("Package: hello\n" in recalls(world, world.apt_row()), "upstream's bytes were changed")


def test_apt_sync_takes_nothing_away_for_a_broken_server(world):
    made = hello_debs(world.archive())
    hub = hub_of(world)
    hub.sync()
    before = hub.generation()
    for number in range(20):
        path = upstream_file(world, made.add(f"more-{number}", "1.0"))
        os.remove(path)
    made.publish(int(time.time()) + 5)
    has(hub.sync(status=INCOMPLETE), "apt: incomplete")
    check(hub.generation() == before, "something was published")


def test_gc_leaves_what_an_incomplete_sync_has_fetched(world):
    """Nothing is published of it: the next sync goes on with it, however long that takes."""
    made = hello_debs(world.archive())
    path = upstream_file(world, made.add("late", "1.0"))
    made.publish()
    os.rename(path, path + ".later")
    archive.write(path, b"something else")
    hub = hub_of(world)
    has(hub.sync(status=INCOMPLETE), "apt: incomplete, 1 missing")
    has(hub.run("gc"), "spared for what is not finished")
    os.replace(path + ".later", path)
    world.upstream.seen()
    has(hub.sync(), "published as generation 1")
    debs = {path for path in world.upstream.seen() if path.endswith(".deb")}
    check(debs == {"/apt/pool/main/l/late/late_1.0_all.deb"}, debs)
    check("spared" not in hub.run("gc"), "something is spared of what is finished")


def test_sync_fetches_what_is_lost(world):
    hello_debs(world.archive())
    hub = hub_of(world)
    hub.sync()
    with open(upstream_file(world, "pool/main/h/hello/hello_1.0_all.deb"), "rb") as file:
        digest = hashlib.sha256(file.read()).hexdigest()
    path = os.path.join(hub.store, "objects", digest[:2], digest)
    os.remove(path)
    has(hub.sync(), "lost, in quarantine or recalled")
    check(os.path.exists(path), "it was not fetched again")


def test_sync_outside_its_window_is_no_failure(world):
    hello_debs(world.archive())
    hub = world.reservoir()
    hour = time.localtime().tm_hour
    window = f"{(hour + 2) % 24:02}:00-{(hour + 3) % 24:02}:00"
    hub.configure([world.apt_row()], sync={"window": window})
    has(hub.sync(), "not now: ", window, "opens in")
    check(hub.generation() == 0, "something was published")


def test_apt_sync_begins_again_when_upstream_changes(world):
    made = hello_debs(world.archive(by_hash=False))
    find = world.upstream.find
    state = {"changed": False}

    def change(path, accept):
        if "/Packages" in path and not state["changed"]:
            state["changed"] = True
            made.remove("unrelated")
            made.add("another", "1.0")
            made.publish(int(time.time()) + 5)
        return find(path, accept)

    world.upstream.find = change
    hub = hub_of(world)
    has(hub.sync(), "began again", "published")


def test_apt_sync_refuses_what_expired(world):
    made = hello_debs(world.archive(valid_for=7 * DAY))
    made.publish(int(time.time()) - 30 * DAY)
    has(hub_of(world).sync(status=INCOMPLETE), "has expired")
    hub = world.reservoir("other")
    hub.configure([world.apt_row(checkValidUntil=False)])
    hub.sync()


def test_apt_sync_tells_of_an_upstream_that_stands_still(world):
    made = hello_debs(world.archive(valid_for=7 * DAY))
    made.publish(int(time.time()) - 30 * DAY)

    def rows(**options):
        return world.apt_row(**options), {**world.curated_row(**options), "name": "curated"}

    hub = hub_of(world, *rows(checkValidUntil=False))
    hub.sync()
    has(hub.sync(), "apt: unchanged")
    hub.configure(rows())
    said = hub.sync(status=INCOMPLETE)
    has(said, "apt: incomplete", "missing: stable: suite 'stable'", "has expired",
        "curated: unchanged", "note: suite 'stable'")


def test_apt_sync_does_not_go_back(world):
    made = hello_debs(world.archive())
    hub = hub_of(world)
    hub.sync()
    made.publish(int(time.time()) - DAY)
    has(hub.sync(status=INCOMPLETE), "upstream has gone back")
    check(hub.generation() == 1, "something was published")
    made.publish(int(time.time()) + 5)
    has(hub.sync(), "published")


def test_apt_sync_refuses_what_is_of_the_future(world):
    """Clients take it for not yet valid, and what comes after it for older than what is here."""
    made = hello_debs(world.archive())
    made.publish(int(time.time()) + 30 * DAY)
    hub = hub_of(world)
    has(hub.sync(status=INCOMPLETE), "is of the future", "clock")
    check(hub.generation() == 0, "something was published")
    made.publish()
    has(hub.sync(), "published")


def test_apt_sync_looks_at_signatures_once_it_is_to(world):
    """What was taken unverified is not believed because upstream did not change."""
    hello_debs(world.archive())
    row = world.apt_row(unverified=True)
    hub = hub_of(world, row)
    hub.sync()
    row = world.apt_row()
    row["apt"]["keyring"] = world.gpg("Site of a test").public
    hub.configure([row])
    has(hub.sync(status=INCOMPLETE), "not in the keyring")
    hub.configure([world.apt_row()])
    has(hub.sync(), "apt: ")
    has(hub.sync(), "apt: unchanged")


def test_apt_sync_dates_nothing_ahead(world):
    """Each Release is later than the one before, and none of a second that is to come."""
    made = hello_debs(world.archive())
    hub = hub_of(world, world.curated_row())
    for version in ("1", "2", "3", "4"):
        made.add("another", version)
        made.publish(int(time.time()))
        hub.sync()
    ended = time.time()
    hub.serve()
    date = re.search("^Date: (.*)$", get(hub.url + RELEASE)[2].decode(), re.MULTILINE)[1]
    check(parsedate_to_datetime(date).timestamp() <= ended, f"{date} is ahead")


def test_apt_sync_keeps_earlier_indexes_for_a_while(world):
    made = hello_debs(world.archive())
    hub = hub_of(world, world.apt_row(keepIndexes=1))
    hub.sync()
    hub.serve()

    def index():
        digest = re.search(r"^ (\w{64}) \d+ (main/binary-amd64/Packages.xz)$",
                           get(hub.url + RELEASE)[2].decode(), re.MULTILINE)
        return f"/apt/dists/stable/main/binary-amd64/by-hash/SHA256/{digest[1]}"

    def publish(version):
        made.add("another", version)
        made.publish(int(time.time()) + 10 * int(version))
        hub.sync()
        for _ in range(200):
            if get(hub.url + f"/apt/pool/main/a/another/another_{version}_all.deb",
                   method="HEAD")[0] == 200:
                return
            time.sleep(0.05)

    first = index()
    publish("1")
    second = index()
    check([get(hub.url + path)[0] for path in (first, second)] == [200, 200], "after one")
    publish("2")
    check([get(hub.url + path)[0] for path in (first, second)] == [404, 200], "after two")


def test_apt_sync_tells_what_cannot_be_satisfied(world):
    made = world.archive()
    made.add("broken", "1.0", depends="nowhere")
    hello_debs(made)
    hub = hub_of(world, world.curated_row(["broken", "helo", "hello"]))
    has(hub.sync(status=INCOMPLETE), "missing: broken: nothing provides nowhere",
        "missing: helo", "did you mean 'hello'?")
    hub.configure([world.curated_row(["hello"])])
    hub.sync()
    has(hub.run("explain", "libhello"), "libhello 1.2 is needed by hello",
        "hello 1.0 is asked for")
    has(hub.run("explain", "unrelated"), "nothing that is asked for needs it")


def test_apt_sync_keeps_versions_that_are_needed(world):
    """A request of an old version brings what goes with it, beside the newest."""
    made = world.archive()
    made.add("tool", "1.0", depends="engine (= 1.0)")
    made.add("tool", "2.0", depends="engine (= 2.0)")
    for version in ("1.0", "2.0", "3.0"):
        made.add("engine", version)
    made.publish()
    hub = hub_of(world, world.curated_row(["tool", "tool=1.0"]))
    hub.sync()
    out = hub.run("explain", "engine")
    has(out, "engine 1.0 all", "engine 2.0 all")
    check("engine 3.0" not in out, out)


def test_apt_sync_leaves_out(world):
    hello_debs(world.archive())
    hub = hub_of(world, world.curated_row(["hello"], exclude=["libh*"]))
    hub.sync()
    has(hub.run("explain", "libhello"), "is left out")
    hub.serve()
    check(get(hub.url + "/apt/pool/main/l/libhello/libhello_1.2_amd64.deb")[0] == 404,
          "it is there")


def sign_flat(made, root):
    """Put a flat repository in a folder: packages, an index and Release beside each other."""
    stanzas = []
    for stanza in made.stanzas["main"].values():
        path = re.search(r"^Filename: (.*)$", stanza, re.MULTILINE)[1]
        name = os.path.basename(path)
        os.rename(os.path.join(made.root, path), os.path.join(root, name))
        stanzas.append(stanza.replace(path, f"./{name}"))
    text = "\n".join(stanzas).encode()
    lines = ""
    for name, data in (("Packages", text), ("Packages.gz", gzip.compress(text, mtime=0))):
        archive.write(os.path.join(root, name), data)
        lines += f" {hashlib.sha256(data).hexdigest()} {len(data)} {name}\n"
    release = os.path.join(root, "Release")
    archive.write(release, (
        "Origin: Flat\nSuite: flat\nCodename: flat\nDate: "
        + time.strftime("%a, %d %b %Y %H:%M:%S UTC", time.gmtime())
        + "\nSHA256:\n" + lines).encode())
    made.gpg.clearsign(release, os.path.join(root, "InRelease"))


def test_apt_sync_takes_flat_repositories(world):
    made = hello_debs(world.archive())
    sign_flat(made, world.upstream.apt)
    curated = {**world.curated_row(suites=["./"]), "name": "curated"}
    hub = world.serving(world.apt_row(suites=["./"]), curated)
    for path, key in (("/apt", "Archive of a test"), ("/curated", "Site of a test")):
        apt = world.apt(path[1:])
        apt.source(hub.url + path, world.gpg(key).public, suite="./", components="")
        apt.update()
        apt.install("hello")
        check(apt.installed()["libhello"] == "1.2", apt.installed())


def test_apt_sync_says_where_snapshots_are(world):
    """What apt makes of the field: a URL with the name of a snapshot in it."""
    made = hello_debs(world.archive())
    hub = hub_of(world, world.curated_row())
    hub.sync()
    hub.serve()
    release = hub.url + "/apt/dists/stable/Release"
    check(b"Snapshots:" not in get(release)[2], "without a URL")
    hub.run("snapshot", "2026-11")
    hub.configure([world.curated_row(snapshotsUrl=hub.url + "/", validFor="168h")])
    made.add("hello", "2.0", depends="libhello (>= 1)")
    made.publish(int(time.time()) + 5)
    hub.sync()
    reservoir.wait("the new one", lambda: b"Snapshots:" in get(release)[2])
    text = get(release)[2].decode()
    place = re.search(r"^Snapshots: (.*)$", text, re.MULTILINE)[1]
    has(text, "\nValid-Until: ", "\nAcquire-By-Hash: yes\n")
    check(place.endswith("/"), f"apt puts dists/ behind it as it is: {place}")
    apt = world.apt()
    apt.source(place.replace("@SNAPSHOTID@", "2026-11"), world.gpg("Site of a test").public)
    apt.update()
    apt.install("hello")
    check(apt.installed()["hello"] == "1.0", apt.installed())
    has(hub.sync(), "unchanged")


class WithSources(archive.AptArchive):
    """An archive with a source package for hello, and none for the others."""

    def _indexes(self, when):
        yield from super()._indexes(when)
        text = ""
        for name in ("hello", "unrelated"):
            data = f"Source: {name}\n".encode()
            archive.write(os.path.join(self.root, f"pool/main/{name}_1.0.dsc"), data)
            text += (f"Package: {name}\nVersion: 1.0\nArchitecture: all\nDirectory: pool/main\n"
                     f"Checksums-Sha256:\n {packages.sha256(data)} {len(data)} {name}_1.0.dsc\n\n")
        yield "main/source/Sources.gz", gzip.compress(text.encode(), mtime=0)


def test_apt_sync_takes_sources(world):
    hello_debs(WithSources(world.upstream.apt, world.gpg()))
    hub = world.serving(world.apt_row(sources=True),
                        {**world.curated_row(["hello"], sources=True), "name": "curated"},
                        {**world.apt_row(), "name": "without"})

    def there(repository, name):
        return get(f"{hub.url}/{repository}/pool/main/{name}_1.0.dsc")[0] == 200

    check(there("apt", "hello") and there("apt", "unrelated"), "sources are not there")
    check(there("curated", "hello") and not there("curated", "unrelated"), "curated sources")
    check(not there("without", "hello"), "sources that nobody asked for")


class WithPatches(archive.AptArchive):
    """An archive with a patch of its index."""

    def _indexes(self, when):
        yield from super()._indexes(when)
        patch = gzip.compress(b"1d\n.\n", mtime=0)
        archive.write(os.path.join(
            self.root, "dists/stable/main/binary-amd64/Packages.diff/T-1.gz"), patch)
        yield "main/binary-amd64/Packages.diff/Index", (
            f"SHA256-Download:\n {packages.sha256(patch)} {len(patch)} T-1.gz\n").encode()


def test_apt_sync_takes_patches(world):
    hello_debs(WithPatches(world.upstream.apt, world.gpg()))
    hub = world.serving(world.apt_row(pdiffs=True), {**world.apt_row(), "name": "without"})
    path = "dists/stable/main/binary-amd64/Packages.diff/T-1.gz"
    check(get(f"{hub.url}/apt/{path}")[0] == 200, "the patch is not there")
    check(get(f"{hub.url}/without/{path}")[0] == 404, "a patch that nobody asked for")


def test_apt_cache_believes_only_what_is_signed(world):
    hello_debs(world.archive())
    cache = {**world.apt_row(), "mode": "cache"}
    other = {**world.apt_row(), "mode": "cache", "name": "other"}
    other["apt"]["keyring"] = world.gpg("Site of a test").public
    hub = hub_of(world, cache, other)
    has(hub.run("explain", "hello"), "a cache: it has what clients have asked for")
    hub.serve()

    def status(path):
        return get(hub.url + path)[0]

    packages_gz = "dists/stable/main/binary-amd64/Packages.gz"
    check(status("/apt/" + packages_gz) >= 400, "an index that nothing vouches for")
    check(status("/apt/dists/stable/Release") >= 400, "a Release without its signature")
    check(status("/apt/dists/stable/InRelease") == 200, "what is signed")
    check(status("/apt/" + packages_gz) == 200, "an index that is vouched for")
    check(status("/other/dists/stable/InRelease") >= 400, "what another key signed")


def test_apt_sync_looks_at_repositories_together(world):
    """Security updates have an upstream of their own, and need what lies in the other one."""
    made = hello_debs(world.archive())
    made.add("libextra", "1.0")
    made.publish()
    security = archive.AptArchive(os.path.join(world.upstream.apt, "security"), world.gpg())
    security.add("hello", "1.1", depends="libhello (>= 1), libextra")
    security.add("unrelated", "1.1")
    security.publish()
    base = world.curated_row(["hello"], together=["updates"])
    updates = world.curated_row(together=["apt"])
    updates.update(name="updates", upstream=world.upstream.apt_url + "security")
    hub = world.serving(base, updates)
    world.upstream.seen()
    has(hub.sync(), "apt: unchanged", "updates: unchanged")
    check(len(world.upstream.seen()) == 4, "more than a request for each suite")
    apt = world.apt()
    key = world.gpg("Site of a test").public
    apt.source(hub.url + "/apt", key)
    with open(os.path.join(apt.root, "etc/apt/sources.list"), "a", encoding="utf-8") as file:
        file.write(f"deb [signed-by={key}] {hub.url}/updates stable main\n")
    apt.update()
    apt.install("hello")
    check(apt.installed() == {"hello": "1.1", "libhello": "1.2", "libextra": "1.0"},
          apt.installed())
    for path in ("/apt/pool/main/h/hello/hello_1.0_all.deb",
                 "/updates/pool/main/u/unrelated/unrelated_1.1_all.deb"):
        check(get(hub.url + path)[0] == 404, path)
    has(hub.run("explain", "libextra", "--repository", "apt"), "is needed by hello")
