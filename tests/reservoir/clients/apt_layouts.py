# SPDX-License-Identifier: Apache-2.0
"""Archives as Ubuntu and vendors lay them out, mirrored as they are and curated, and apt before
both.  Each test_X is reservoir.clients.X."""

import gzip
import os
import re
import time

from harness import packages
from harness.layout import Layout
from harness.reservoir import get
from harness.world import check

HELLO = {"hello": "1.0", "libhello": "1.2"}


def hello(made, component=None, **what):
    made.add("hello", "1.0", component=component, depends="libhello (>= 1)", **what)
    made.add("libhello", "1.2", component=component, architecture=made.architectures[0]
             if made.architectures != ("all",) else "all")
    made.add("unrelated", "1.0", component=component)
    return made


def layout(world, suite="stable", **how):
    return Layout(world.upstream.apt, world.gpg(), suite, **how)


def rows_of(world, suites, **options):
    """Return the three ways to mirror a suite: as it is, signed anew, and a selection."""
    suites = [suites] if isinstance(suites, str) else suites
    rows = ({**world.apt_row(suites=suites), "name": "asis"},
            {**world.curated_row(suites=suites), "name": "signed"},
            {**world.curated_row(["hello"], suites=suites), "name": "chosen"})
    for row in rows:
        row["apt"].update(options)
    return rows


def play(world, suite, components="main", hub=None, ways=("asis", "signed", "chosen"), **options):
    """Mirror a suite in three ways, and let an apt install from each."""
    hub = hub or world.serving(*rows_of(world, suite, **options))
    for name in ways:
        key = world.gpg("Archive of a test" if name == "asis" else "Site of a test").public
        apt = world.apt(f"{name}-{suite.replace('/', '-')}")
        apt.source(f"{hub.url}/{name}", key, suite=suite, components=components)
        apt.update()
        apt.install("hello")
        check(apt.installed() == HELLO, f"{name}: {apt.installed()}")
    return hub


def test_apt_layout_ubuntu(world):
    """Four components, a pocket, phased updates, cnf, dep11, and by-hash of one algorithm."""
    fields = {"Suite": "focal-updates", "Codename": "focal", "Version": "20.04",
              "Description": "Ubuntu Focal Updates", "NotAutomatic": None,
              "Changelogs": "https://changelogs.example.org/@CHANGEPATH@/changelog"}
    made = layout(world, "focal-updates", components=("main", "restricted", "universe",
                                                      "multiverse"),
                  architectures=("amd64", "i386"), hashes=("MD5Sum", "SHA1", "SHA256"),
                  by_hash=("MD5Sum", "SHA1", "SHA256"), fields=fields)
    made.add("hello", "1.0", depends="libhello (>= 1)", extra="Phased-Update-Percentage: 40\n")
    made.add("libhello", "1.2", component="universe", architecture="amd64")
    made.add("libhello", "1.2", component="universe", architecture="i386")
    made.add("unrelated", "1.0", component="multiverse")
    for component in made.components:
        made.more[f"{component}/i18n/Translation-en"] = (
            b"Package: hello\nDescription-md5: 0123456789abcdef0123456789abcdef\n"
            b"Description-en: greets\n\n"
            b"Package: unrelated\nDescription-md5: 0123456789abcdef0123456789abcdee\n"
            b"Description-en: does not\n")
        made.more[f"{component}/cnf/Commands-amd64"] = (
            f"suite: focal-updates\ncomponent: {component}\narch: amd64\n\n"
            "name: hello\nversion: 1.0\ncommands: hello\n\n"
            "name: unrelated\nversion: 1.0\ncommands: unrelated\n").encode()
        made.more[f"{component}/dep11/Components-amd64.yml"] = (
            "---\nFile: DEP-11\nVersion: '0.8'\nOrigin: focal\n"
            "---\nType: desktop-application\nID: hello.desktop\nPackage: hello\n"
            "---\nType: desktop-application\nID: other.desktop\nPackage: unrelated\n").encode()
        made.more[f"{component}/dep11/icons-64x64.tar"] = b"icons"
    made.more["Contents-amd64"] = (b"usr/bin/hello            misc/unrelated,universe/misc/hello\n"
                                   b"usr/bin/with a blank     misc/unrelated\n"
                                   b"usr/lib/libhello.so      libs/libhello\n")
    made.publish()
    # The upgrader and the installers lie in the suite's folder, and nobody's index has them.
    upgrader = os.path.join(made.base, "main/dist-upgrader-all/current/focal.tar.gz")
    os.makedirs(os.path.dirname(upgrader))
    with open(upgrader, "wb") as file:
        file.write(b"not for apt")
    hub = play(world, "focal-updates", "main restricted universe multiverse", contents=True)
    for name in ("asis", "signed", "chosen"):
        status, _, body = get(f"{hub.url}/{name}/dists/focal-updates/Release")
        check(status == 200 and b"Codename: focal\n" in body and b"Changelogs: " in body,
              f"{name}: {body[:800]}")

    def read(path):
        status, _, body = get(f"{hub.url}/chosen/dists/focal-updates/{path}")
        check(status == 200, f"{path}: {status}")
        return gzip.decompress(body)

    check(read("Contents-amd64.gz") == b"usr/bin/hello            universe/misc/hello\n"
                                       b"usr/lib/libhello.so      libs/libhello\n", "Contents")
    metadata = read("main/dep11/Components-amd64.yml.gz")
    check(b"Origin: focal" in metadata and b"Package: hello" in metadata
          and b"unrelated" not in metadata, metadata)
    check(read("main/dep11/icons-64x64.tar.gz") == b"icons", "icons")
    check(b"unrelated" not in read("main/cnf/Commands-amd64.gz"), "command-not-found")
    check(b"unrelated" not in read("main/i18n/Translation-en.gz"), "translations")


def test_apt_layout_only_inrelease(world):
    hello(layout(world, signatures=("InRelease",))).publish()
    play(world, "stable")


def test_apt_layout_only_release_gpg(world):
    hello(layout(world, signatures=("Release.gpg",))).publish()
    play(world, "stable")


def test_apt_layout_suite_with_slash(world):
    """As security.debian.org had it: suite x/updates, components updates/main."""
    made = layout(world, "buster/updates", components=("main",),
                  fields={"Suite": "oldstable", "Codename": "buster",
                          "Components": "updates/main"})
    hello(made).publish()
    play(world, "buster/updates")


def test_apt_layout_component_below_another(world):
    """As a PPA has them: main, and main/debug beside it."""
    made = layout(world, components=("main", "main/debug"))
    made.add("hello", "1.0", component="main/debug", depends="libhello (>= 1)")
    made.add("libhello", "1.2", component="main", architecture="amd64")
    made.publish()
    play(world, "stable", "main main/debug")


def test_apt_layout_listed_twice(world):
    """A script that lists a file once more says nothing new."""
    made = hello(layout(world))
    sign = made.sign
    made.sign = lambda lines, when: sign(
        {algorithm: rows + rows[-1:] for algorithm, rows in lines.items()}, when)
    made.publish()
    play(world, "stable")


def test_apt_layout_curated_by_hash(world):
    """What this site signs says that indexes are there by their hashes: so they are."""
    made = hello(layout(world))
    made.publish()
    hub = world.serving(*rows_of(world, "stable")[1:])
    for name in ("signed", "chosen"):
        base = f"{hub.url}/{name}/dists/stable/"
        release = get(base + "Release")[2].decode()
        check("Acquire-By-Hash: yes" in release, release)
        rows = re.findall(r"^ (\w{64}) +\d+ (.*)/([^/]*\.[gx]z)$", release, re.MULTILINE)
        check(len(rows) > 1, release)
        for digest, folder, file in rows:
            check(get(f"{base}{folder}/by-hash/SHA256/{digest}")[0] == 200, f"{folder}/{file}")


def test_apt_layout_flat_without_names(world):
    """A Release of nothing but a date and hashes, that changes."""
    made = layout(world, "./", listed=("", ".gz"), there=("", ".gz"),
                  fields={"Origin": None, "Label": None, "Suite": None, "Codename": None})
    hello(made).publish()
    hub = world.serving(*rows_of(world, "./"))
    made.add("more", "1.0")
    made.publish(int(time.time()) + 5)
    hub.sync()
    play(world, "./", "", hub=hub)


def test_apt_layout_only_compressed(world):
    """apt looks for the plain form in Release: it skips such suites, unless they are curated."""
    hello(layout(world, "gz", listed=(".gz",), there=(".gz",))).publish()
    hello(layout(world, "xz", listed=(".xz",), there=(".xz",))).publish()
    hub = world.serving(*rows_of(world, ["gz", "xz"]))
    for suite in ("gz", "xz"):
        play(world, suite, hub=hub, ways=("chosen",))


def test_apt_layout_only_plain(world):
    hello(layout(world, listed=("",), there=("",))).publish()
    play(world, "stable")


def refused(world):
    """Return what a sync says that must not succeed."""
    hub = world.reservoir()
    hub.configure(rows_of(world, "stable"))
    return hub.sync(status=None)


def test_apt_layout_only_sha512(world):
    """Files are kept by their SHA-256; one that only has another is refused, plainly."""
    hello(layout(world, hashes=("SHA512",), by_hash=("SHA512",))).publish()
    said = refused(world)
    check(said.count("it has no SHA256") == 3, said)


def test_apt_layout_debs_with_sha512_only(world):
    hello(layout(world, deb_hashes=("SHA512",))).publish()
    said = refused(world)
    check(said.count("package 'hello' has no Filename, Size and SHA256") == 3, said)
    check("published" not in said, said)


def test_apt_layout_backports(world):
    hello(layout(world, fields={"NotAutomatic": "yes", "ButAutomaticUpgrades": "yes",
                                "Codename": "other", "Suite": "stable"})).publish()
    play(world, "stable")


def test_apt_layout_crlf(world):
    """As written on another system: carriage returns in Release and in the indexes."""
    def crlf(data):
        return data.replace(b"\n", b"\r\n")

    hello(layout(world, style=crlf, index_style=crlf, signatures=("Release.gpg",))).publish()
    play(world, "stable")


def test_apt_layout_all_only(world):
    hello(layout(world, architectures=("all",))).publish()
    play(world, "stable")


def test_apt_layout_all_inside(world):
    """Debian's: an index of all, and a field that says what is also in each of the others."""
    made = layout(world, architectures=("amd64", "all"),
                  fields={"No-Support-for-Architecture-all": "Packages"})
    hello(made)
    made.stanzas["main", "amd64"] += made.stanzas["main", "all"]
    made.publish()
    play(world, "stable")


def test_apt_layout_empty_components(world):
    """Most of a pocket's components are empty; their indexes are listed with no bytes."""
    made = layout(world, "focal-updates", components=("main", "restricted"))
    hello(made).publish()
    play(world, "focal-updates", "main restricted")


def test_apt_layout_flat_of_vendor(world):
    """As CUDA's: a folder with a slash at its end, debs beside the index, no Components."""
    made = layout(world, "ubuntu2004/x86_64/", path_style="./{}", architectures=("amd64",),
                  signatures=("InRelease", "Release.gpg"), listed=("", ".gz"), there=("", ".gz"),
                  hashes=("MD5Sum", "SHA1", "SHA256"),
                  fields={"Suite": None, "Codename": None, "Origin": "VENDOR",
                          "Label": "VENDOR CUDA"})
    hello(made)
    for stanzas in made.stanzas.values():
        stanzas[:] = [stanza.replace("ubuntu2004/x86_64/", "") for stanza in stanzas]
    made.publish()
    row = dict(upstream=world.upstream.apt_url + "ubuntu2004/x86_64/")
    rows = [{**one, **row} for one in rows_of(world, "/")]
    hub = world.serving(*rows)
    play(world, "/", "", hub=hub)


def test_apt_layout_flat_in_folder(world):
    made = layout(world, "x86_64/", listed=("", ".gz"), there=("", ".gz"))
    hello(made).publish()
    play(world, "x86_64/", "")


def test_apt_layout_flat_behind_a_pool(world):
    """Names of flat suites may come behind that of the pool: what is in them is found too."""
    hello(layout(world)).publish()
    made = layout(world, "x86_64/", listed=("", ".gz"), there=("", ".gz"))
    made.add("other", "1.0")
    made.publish()
    hub = world.serving(world.apt_row(suites=["stable", "x86_64/"]))
    said = hub.run("explain", "other")
    check("other 1.0 all: in x86_64/Packages" in said, said)


def test_apt_layout_armoured_keyring(world):
    """Several keys in one file: armoured ones behind each other, with text around them."""
    hello(layout(world)).publish()
    other = world.gpg("Other of a test")
    for gpg in (other, world.gpg()):
        gpg.run("gpg", "--batch", "--yes", "--armor", "--output", gpg.public + ".asc", "--export")
    mixed = world.join("mixed.asc")
    with open(mixed, "wb") as file:
        for gpg in (other, world.gpg()):
            with open(gpg.public + ".asc", "rb") as part:
                file.write(b"# a key of an archive\n\n" + part.read())
    hub = world.serving(*rows_of(world, "stable", keyring=mixed))
    play(world, "stable", hub=hub)


def test_apt_layout_two_architectures(world):
    made = layout(world, architectures=("amd64", "i386"))
    made.add("hello", "1.0", depends="libhello (>= 1)")
    for architecture in made.architectures:
        made.add("libhello", "1.2", architecture=architecture)
    made.publish()
    play(world, "stable", architectures=["amd64", "i386"])

