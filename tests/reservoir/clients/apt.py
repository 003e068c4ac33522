# SPDX-License-Identifier: Apache-2.0
"""apt before a server.  Each test_X is the ctest reservoir.clients.X."""

import os
import re

from harness import reservoir
from harness.reservoir import get
from harness.world import check, hello_debs

INRELEASE = "/apt/dists/stable/InRelease"


def verbatim(world, **options):
    made = hello_debs(world.archive(**options))
    return made, world.serving(world.apt_row())


def client(world, hub, name="apt", key="Archive of a test", path="/apt"):
    made = world.apt(name)
    made.source(hub.url + path, world.gpg(key).public)
    return made


def site_client(world, hub, name="apt", path="/apt"):
    return client(world, hub, name, "Site of a test", path)


def test_apt_installs_verbatim(world):
    made, hub = verbatim(world)
    apt = client(world, hub)
    apt.update()
    apt.install("hello")
    check(apt.installed() == {"hello": "1.0", "libhello": "1.2"}, apt.installed())
    check(apt.version("libhello") == "1.2", "its file is not there")
    with open(os.path.join(made.root, "dists/stable/InRelease"), "rb") as file:
        check(get(hub.url + INRELEASE)[2] == file.read(), "InRelease is not upstream's")
    hub.accessed("/by-hash/SHA256/", " 200 ")
    apt.update()
    hub.accessed(INRELEASE, " 304 ")


def test_apt_refuses_another_key(world):
    _, hub = verbatim(world)
    site_client(world, hub).update(fails=True)


def test_apt_installs_curated(world):
    hello_debs(world.archive(valid_for=7 * 86400))
    hub = world.serving(world.curated_row(["hello"]))
    apt = site_client(world, hub)
    apt.update()
    apt.install("hello")
    check(apt.installed() == {"hello": "1.0", "libhello": "1.2"}, apt.installed())
    hub.accessed("/by-hash/", " 200 ")
    out = apt.install("unrelated", fails=True)
    check("Unable to locate package" in out, out)
    release = get(hub.url + INRELEASE)[2].decode()
    for line in ("Origin: Example", "Suite: stable", "Codename: stable", "Acquire-By-Hash: yes"):
        check(line in release, f"{line} is not in:\n{release}")


def test_apt_reads_the_fallback(world):
    """Release and Release.gpg are there for who does not know InRelease."""
    hello_debs(world.archive())
    hub = world.serving(world.curated_row(["hello"]))
    folder = hub.url + "/apt/dists/stable/"
    release = world.write("Release", get(folder + "Release")[2])
    signature = world.write("Release.gpg", get(folder + "Release.gpg")[2])
    world.pip().run("gpgv", "--keyring", world.gpg("Site of a test").public, signature, release)


def test_apt_upgrades(world):
    made, hub = verbatim(world)
    apt = client(world, hub)
    apt.update()
    apt.install("hello")
    made.add("hello", "2.0", depends="libhello (>= 1)")
    made.publish()
    hub.sync()

    def new():
        return get(hub.url + "/apt/pool/main/h/hello/hello_2.0_all.deb", method="HEAD")[0] == 200

    reservoir.wait("the new package", new)
    apt.update()
    apt.run("apt-get", "upgrade", "-y")
    check(apt.installed()["hello"] == "2.0", apt.installed())


def test_apt_gets_the_indexes_of_the_release_it_has(world):
    """Who has read the InRelease of before still finds what it names."""
    made, hub = verbatim(world)
    old = get(hub.url + INRELEASE)[2].decode()
    digest = re.search(r"^ (\w{64}) \d+ (main/binary-amd64/Packages.xz)$", old, re.MULTILINE)
    made.add("another", "1.0")
    made.publish()
    hub.sync()
    reservoir.wait("the new InRelease", lambda: get(hub.url + INRELEASE)[2].decode() != old)
    path = f"/apt/dists/stable/main/binary-amd64/by-hash/SHA256/{digest[1]}"
    check(get(hub.url + path)[0] == 200, "the index of before is gone")


def test_apt_takes_curated_on_any_day(world):
    hello_debs(world.archive(valid_for=7 * 86400))
    hub = world.serving(world.curated_row(["hello"]),
                        {**world.apt_row(), "name": "verbatim"})
    apt = site_client(world, hub)
    for days in (1, 8, 31, 400):
        apt.update(days=days)
    apt.install("hello")
    out = client(world, hub, "other", path="/verbatim").update(days=8, fails=True)
    check("expired" in out, "upstream's Valid-Until did not hold:\n" + out)


def test_apt_logs_in(world):
    hello_debs(world.archive())
    serve = {"users": [{"name": "reader", "password":
                        reservoir.Reservoir(world, "users").hash_password("s3cret")}]}
    hub = world.serving({**world.apt_row(), "readers": ["reader"]}, serve=serve)
    apt = client(world, hub)
    apt.update(fails=True)
    path = os.path.join(apt.root, "etc/apt/auth.conf")
    with open(path, "w", encoding="ascii") as file:
        file.write(f"machine {hub.url}/apt login reader password s3cret\n")
    apt.update()
    apt.install("hello")
    check("hello" in apt.installed(), apt.installed())


def test_apt_installs_from_a_snapshot(world):
    made, hub = verbatim(world)
    hub.run("snapshot", "2024-01-01")
    old = get(hub.url + INRELEASE)[2]
    made.remove("hello")
    made.add("hello", "2.0", depends="libhello")
    made.publish()
    hub.sync()
    reservoir.wait("the new InRelease", lambda: get(hub.url + INRELEASE)[2] != old)
    then = client(world, hub, "then", path="/snapshot/2024-01-01/apt")
    now = client(world, hub, "now")
    for apt in (then, now):
        apt.update()
        apt.install("hello")
    check(then.version("hello") == "1.0" and now.version("hello") == "2.0",
          f"{then.version('hello')} then, {now.version('hello')} now")


def test_apt_installs_after_a_rollback(world):
    made, hub = verbatim(world)
    good = hub.generation()
    old = get(hub.url + INRELEASE)[2]
    made.add("hello", "2.0")
    made.publish()
    hub.sync()
    reservoir.wait("the new InRelease", lambda: get(hub.url + INRELEASE)[2] != old)
    hub.run("rollback", str(good))
    reservoir.wait("the old InRelease", lambda: get(hub.url + INRELEASE)[2] == old)
    apt = client(world, hub)
    apt.update()
    apt.install("hello")
    check(apt.version("hello") == "1.0", f"{apt.version('hello')} is installed")


def test_apt_installs_from_a_cache_offline(world):
    hello_debs(world.archive())
    hub = world.reservoir()
    hub.configure([{**world.apt_row(), "mode": "cache", "cacheFor": "1s"}])
    hub.serve()
    first, second = client(world, hub, "first"), client(world, hub, "second")
    first.update()
    first.install("hello")
    world.upstream.close()
    __import__("time").sleep(1.2)
    second.update()
    second.install("hello")
    check(second.installed() == first.installed(), second.installed())


def test_apt_is_configured_by_client_config(world):
    hello_debs(world.archive())
    hub = world.serving(world.curated_row(["hello"]))
    text = hub.run("client-config", "apt", "--base-url", hub.url)
    stanza = re.search(r"^Types:(?:.+\n)+", text, re.MULTILINE)
    check(stanza, "there is no stanza in:\n" + text)
    apt = world.apt()
    signed = re.search(r"^Signed-By: (.*)$", stanza[0], re.MULTILINE)
    check(signed, stanza[0])
    key = apt.write("key.asc", get(hub.url + "/apt/silica-archive-keyring.asc")[2].decode())
    sources = os.path.join(apt.root, "etc/apt/sources.list.d/silica.sources")
    with open(sources, "w", encoding="utf-8") as file:
        file.write(stanza[0].replace(signed[0], f"Signed-By: {key}"))
    apt.update()
    apt.install("hello")
    check("hello" in apt.installed(), apt.installed())


def test_apt_gets_no_half_of_a_sync(world):
    """A sync that fails leaves clients with what was there."""
    made, hub = verbatim(world)
    path = made.add("hello", "2.0")
    made.publish()
    os.unlink(os.path.join(made.root, path))
    hub.sync(status=3)
    apt = client(world, hub)
    apt.update()
    apt.install("hello")
    check(apt.version("hello") == "1.0", f"{apt.version('hello')} is installed")
    # Upstream was not in the middle of writing: the next one goes without the file.
    said = hub.sync(status=3)
    check("published as generation 2, 1 missing" in said, said)
