# SPDX-License-Identifier: Apache-2.0
"""What apt can be told, and does by itself, beside update and install.  Each test_X is
reservoir.clients.X; of the apt of another release as clients/run says."""

import os
import re
import time

from harness import archive
from harness.reservoir import get, wait
from harness.sandbox import Skip, free_port
from harness.world import check, hello_debs

RELEASE = "/apt/dists/stable/Release"


def version(apt):
    """Return the version of an apt, as (3, 0)."""
    return tuple(int(number) for number in re.findall(r"\d+", apt.run("apt-get", "--version"))[:2])


def needs(apt, *wanted):
    if version(apt) < wanted:
        raise Skip(f"apt is older than {'.'.join(map(str, wanted))}")


def configured(world, hub, name="apt", change=lambda text: text):
    """Return an apt with the stanza that client-config prints."""
    text = hub.run("client-config", "apt", "--base-url", hub.url, "--repository", name)
    stanza = re.search(r"^# /etc/apt/sources.list.d/(.*)\n((?:.+\n)+)", text, re.MULTILINE)
    apt = world.apt("client-" + name)
    signed = re.search(r"^Signed-By: (.*)$", stanza[2], re.MULTILINE)[1]
    key = signed
    if "/apt/keyrings/" in signed:
        key = apt.write("key.asc", get(f"{hub.url}/{name}/silica-archive-keyring.asc")[2].decode())
    with open(os.path.join(apt.root, "etc/apt/sources.list.d", stanza[1]), "w",
              encoding="utf-8") as file:
        file.write(change(stanza[2].replace(signed, key)))
    return apt


def inline(key):
    """Return a change of a stanza that puts the key itself where its file is named."""
    text = "\n".join(" " + (line or ".") for line in key.decode().splitlines())

    def change(stanza):
        return re.sub(r"^Signed-By: .*$", lambda _: "Signed-By:\n" + text, stanza,
                      flags=re.MULTILINE)

    return change


def test_apt_takes_a_key_in_its_sources(world):
    hello_debs(world.archive())
    hub = world.serving(world.curated_row())
    needs(world.apt(), 2, 4)
    apt = configured(world, hub, change=inline(get(
        hub.url + "/apt/silica-archive-keyring.asc")[2]))
    apt.update()
    apt.install("hello")
    check(apt.installed()["hello"] == "1.0", apt.installed())


def test_apt_takes_both_forms_of_the_key(world):
    hello_debs(world.archive())
    hub = world.serving(world.curated_row())
    for form in ("asc", "gpg"):
        key = world.write(f"site.{form}", get(f"{hub.url}/apt/silica-archive-keyring.{form}")[2])
        apt = world.apt(form)
        apt.source(hub.url + "/apt", key)
        apt.update()


def test_apt_takes_every_kind_of_key(world):
    """Of the kinds that apt and its verifiers still accept; the newest signs below a primary."""
    hello_debs(world.archive())
    for kind in ("rsa3072", "rsa4096", "nistp256", "ed25519"):
        gpg = archive.Gpg(world, f"{kind} of a test", kind)
        hub = world.reservoir(kind)
        hub.configure([world.apt_row(publish="curated", signingKey=gpg.secret)])
        hub.sync()
        hub.serve()
        apt = world.apt("apt-" + kind)
        apt.source(hub.url + "/apt", gpg.public)
        apt.update()


def test_apt_takes_a_key_that_was_renewed(world):
    """A key that was told to expire later signs a Release that is older than that."""
    gpg = world.gpg("Site of a test")
    hello_debs(world.archive())
    hub = world.serving(world.curated_row())
    old = get(hub.url + RELEASE)[2]
    time.sleep(1.1)
    gpg.renew()
    time.sleep(1.1)
    hub.configure([world.curated_row(snapshotsUrl=hub.url)])
    hub.sync()
    wait("the new Release", lambda: get(hub.url + RELEASE)[2] != old)
    apt = world.apt()
    apt.source(hub.url + "/apt", gpg.public)
    apt.update()


def later(world, hub, made):
    """Publish another hello."""
    old = get(hub.url + RELEASE)[2]
    made.remove("hello")
    made.add("hello", "2.0", depends="libhello (>= 1)")
    made.publish(int(time.time()) + 5)
    hub.sync()
    wait("the new Release", lambda: get(hub.url + RELEASE)[2] != old)


def with_snapshot(world, made):
    """Return a server with a snapshot from before a newer hello, and an apt that has read it."""
    needs(world.apt(), 2, 9)
    hub = world.reservoir()
    hub.port = free_port()
    hub.configure([world.curated_row(snapshotsUrl=hub.url + "/")])
    hub.sync()
    hub.serve()
    hub.run("snapshot", "2026-11")
    later(world, hub, made)
    apt = configured(world, hub)
    apt.update()
    return hub, apt


def test_apt_asks_for_a_snapshot(world):
    """With `--snapshot`, where the source is the same."""
    made = hello_debs(world.archive())
    _, apt = with_snapshot(world, made)
    apt.run("apt-get", "update", "--snapshot", "2026-11", "--error-on=any")
    out = apt.run("apt-get", "install", "-y", "--snapshot", "2026-11", "hello")
    check(apt.installed()["hello"] == "1.0", out)
    apt.run("apt-get", "upgrade", "-y")
    check(apt.installed()["hello"] == "2.0", "the upgrade was not of what there is now")
    out = apt.run("apt-get", "update", "--snapshot", "2020-01", "--error-on=any", fails=True)
    check("404" in out, out)


def test_apt_stays_with_a_snapshot(world):
    """Snapshot: in a source, once the source was read without it."""
    made = hello_debs(world.archive())
    _, apt = with_snapshot(world, made)
    with open(os.path.join(apt.root, "etc/apt/sources.list.d/apt.sources"), "a",
              encoding="utf-8") as file:
        file.write("Snapshot: 2026-11\n")
    apt.update()
    apt.install("hello")
    check(apt.installed()["hello"] == "1.0", apt.installed())
