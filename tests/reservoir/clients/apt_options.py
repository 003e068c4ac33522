# SPDX-License-Identifier: Apache-2.0
"""What apt can be told, and does by itself, beside update and install.  Each test_X is
reservoir.clients.X; of the apt of another release as clients/run says."""

import base64
import email.utils
import gzip
import os
import re
import socket
import time

from harness import archive, packages, reservoir
from harness.reservoir import get, wait
from harness.sandbox import Skip, free_port
from harness.world import check, hello_debs

RELEASE = "/apt/dists/stable/Release"
PATCHED = 30  # packages: apt takes a patch only where the index is longer than it


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


def configuration(apt, text):
    with open(apt.env["APT_CONFIG"], "a", encoding="utf-8") as file:
        file.write(text)


def test_apt_is_content_with_foreign_architectures(world):
    """A client with i386 is told by client-config what is there, and looks for nothing else."""
    hello_debs(world.archive())
    hub = world.serving(world.curated_row(), {**world.apt_row(), "name": "asis"})
    for name in ("apt", "asis"):
        apt = configured(world, hub, name)
        configuration(apt, 'APT::Architectures { "amd64"; "i386"; };\n')
        apt.update()


def test_apt_modernizes_its_sources(world):
    """What client-config prints is modern already; what somebody wrote on a line becomes it."""
    hello_debs(world.archive())
    hub = world.serving(world.curated_row())
    apt = configured(world, hub)
    needs(apt, 2, 9)
    out = apt.run("apt", "-y", "modernize-sources")
    check("All sources are modern" in out, out)
    other = world.apt("line")
    other.source(hub.url + "/apt", world.gpg("Site of a test").public)
    other.run("apt", "-y", "modernize-sources")
    other.update()
    other.install("hello")
    check(other.installed()["hello"] == "1.0", other.installed())


def test_apt_patches_its_index(world):
    made = world.archive(diffs=4)
    for number in range(PATCHED):
        made.add(f"package-{number}", "1.0")
    hello_debs(made)
    hub = world.serving(world.apt_row(pdiffs=True))
    apt = configured(world, hub)
    configuration(apt, 'Acquire::PDiffs "true";\n')
    apt.update()
    later(world, hub, made)
    out = apt.update()
    check("T-2" in out, f"no patch was taken:\n{out}")
    hub.accessed("/main/binary-amd64/Packages.diff/T-", " 200 ")
    apt.install("hello")
    check(apt.installed()["hello"] == "2.0", apt.installed())


def test_apt_goes_on_with_half_a_package(world):
    hello_debs(world.archive())
    hub = world.serving(world.apt_row())
    apt = configured(world, hub)
    apt.update()
    name = "libhello_1.2_amd64.deb"
    _, headers, data = get(f"{hub.url}/apt/pool/main/l/libhello/{name}")
    half = os.path.join(apt.root, "var/cache/apt/archives/partial", name)
    archive.write(half, data[:60_000],
                  email.utils.parsedate_to_datetime(headers["Last-Modified"]).timestamp())
    apt.install("hello")
    hub.accessed(name, f" 206 {len(data) - 60_000} ")


def test_apt_asks_for_many_at_once(world):
    """Requests behind each other on one connection, and none lost where it is cut."""
    made = world.archive()
    names = [f"package-{number}" for number in range(60)]
    for name in names:
        made.add(name, "1.0")
    made.publish()
    hub = world.serving(world.apt_row())
    apt = configured(world, hub)
    configuration(apt, 'Acquire::http::Pipeline-Depth "20";\n')
    apt.update()
    out = apt.install(*names)
    check(len(apt.installed()) == len(names), out)


def test_apt_lists_what_it_has(world):
    hello_debs(world.archive())
    hub = world.serving(world.curated_row())
    apt = configured(world, hub)
    apt.update()
    out = apt.run("apt-get", "indextargets", "--format", "$(CREATED_BY) $(REPO_URI) $(FILENAME)",
                  "Identifier: Packages")
    file = out.split()[-1]
    check(out.startswith(f"Packages {hub.url}/apt/ ") and os.path.exists(file), out)
    out = apt.run("apt-cache", "policy", "hello")
    check(f"500 {hub.url}/apt stable/main amd64 Packages" in out, out)


class WithSource(archive.AptArchive):
    """An archive with the source of hello."""

    def _indexes(self, when):
        yield from super()._indexes(when)
        tar = b"a tar of hello\n"
        dsc = (f"Format: 3.0 (native)\nSource: hello\nVersion: 1.0\n"
               f"Checksums-Sha256:\n {packages.sha256(tar)} {len(tar)} hello_1.0.tar.xz\n").encode()
        lines = ""
        for name, data in (("hello_1.0.dsc", dsc), ("hello_1.0.tar.xz", tar)):
            archive.write(os.path.join(self.root, "pool/main/h/hello", name), data)
            lines += f" {packages.sha256(data)} {len(data)} {name}\n"
        text = ("Package: hello\nBinary: hello\nVersion: 1.0\nArchitecture: all\n"
                f"Format: 3.0 (native)\nDirectory: pool/main/h/hello\nChecksums-Sha256:\n{lines}")
        yield "main/source/Sources", text.encode()
        yield "main/source/Sources.gz", gzip.compress(text.encode(), mtime=0)


def test_apt_gets_a_source_package(world):
    hello_debs(WithSource(world.upstream.apt, world.gpg()))
    hub = world.serving(world.apt_row(sources=True),
                        {**world.curated_row(["hello"], sources=True), "name": "curated"})
    for name in ("apt", "curated"):
        apt = configured(world, hub, name)
        apt.update()
        apt.run("apt-get", "source", "--download-only", "hello")
        check(sorted(file for file in os.listdir(apt.home) if file.startswith("hello_")) ==
              ["hello_1.0.dsc", "hello_1.0.tar.xz"], os.listdir(apt.home))


def test_apt_logs_in_by_host(world):
    """As client-config prints it, in a file of auth.conf.d."""
    hello_debs(world.archive())
    users = {"users": [{"name": "reader", "password":
                        reservoir.Reservoir(world, "users").hash_password("s3cret")}]}
    hub = world.serving({**world.curated_row(), "readers": ["reader"]}, serve=users)
    key = world.write("site.asc", get(hub.url + "/apt/silica-archive-keyring.asc", {
        "Authorization": "Basic " + base64.b64encode(b"reader:s3cret").decode()})[2])
    text = hub.run("client-config", "apt", "--base-url", hub.url)
    line = re.search("^machine .*$", text, re.MULTILINE)[0]
    apt = world.apt()
    apt.source(hub.url + "/apt", key)
    path = os.path.join(apt.root, "etc/apt/auth.conf.d/reservoir.conf")
    for password, fails in (("other", True), ("s3cret", False)):
        with open(path, "w", encoding="ascii") as file:
            file.write(line.replace("PASSWORD", password) + "\n")
        apt.update(fails=fails)
    apt.install("hello")


def is_open(port):
    with socket.socket() as any_socket:
        return any_socket.connect_ex(("127.0.0.1", port)) == 0


def test_apt_trusts_a_certificate(world):
    """The server's own TLS; apt has it of GnuTLS until 2, and of OpenSSL since 3."""
    hello_debs(world.archive())
    certificate, key = archive.certificate(world)
    hub = world.serving(world.curated_row())
    hub.stop()
    hub.configure([world.curated_row()], serve={"certificate": certificate, "privateKey": key})
    world.start([reservoir.program(), "serve", "--store", hub.store, "--listen",
                 f"127.0.0.1:{hub.port}"], log=hub.log, env=hub.env)
    wait("the server", lambda: is_open(hub.port))
    apt = world.apt()
    configuration(apt, f'Acquire::https::CaInfo "{certificate}";\n')
    apt.source(f"https://localhost:{hub.port}/apt", world.gpg("Site of a test").public)
    apt.update()
    apt.install("hello")
