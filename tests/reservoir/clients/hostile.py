# SPDX-License-Identifier: Apache-2.0
"""Bundles that lie, are damaged, or are of somebody else.  test_X is reservoir.clients.X."""

import os
import resource

from harness import carried, hostile
from harness.reservoir import program
from harness.world import check, hello_debs

MEMORY_MAX = 128 << 20  # bytes of a program without sanitizers
CUTS = 64
TINY = 5_000  # objects of one bundle


def content(store):
    """Return what is in a store, but for its catalogue and its locks."""
    found = set()
    for part in ("objects", "staging", "generations", "current", "quarantine"):
        path = os.path.join(store, part)
        if os.path.isfile(path):
            found.add((path, os.path.getsize(path)))
        for folder, _, names in os.walk(path):
            found.update((os.path.join(folder, name),
                          os.path.getsize(os.path.join(folder, name))) for name in names)
    return found


def has_sanitizers():
    with open(program(), "rb") as file:
        return b"__asan_init" in file.read()


class Scene:
    def __init__(self, world):
        hello_debs(world.archive())
        self.world = world
        self.pair = carried.Pair(world, [world.apt_row()])
        self.pair.hub.sync()
        self.good = hostile.Bundle(self.pair.export(), self.pair.key)
        self.medium = world.folder("medium")
        self.signing = world.folder("signing")

    def sign(self, bundle, **options):
        return bundle.sign(self.signing, **options)

    def refuse(self, bundle, what, *words, writes=False):
        """See that a bundle is not applied, that it is said why, and that nothing is left."""
        before = content(self.pair.site.store)
        out = self.pair.site.run("import", bundle.write(self.medium), status=None)
        check("is applied" not in out, f"{what}: {out}")
        check(any(word in out for word in words), f"{what}: none of {words} in: {out}")
        check("ERROR: AddressSanitizer" not in out and "runtime error" not in out, out)
        if not writes:
            new = content(self.pair.site.store) ^ before
            check(not new, f"{what}: {sorted(new)[:4]} is in the store")

    def accept(self):
        out = self.pair.site.run("import", self.good.write(self.medium))
        check("is applied" in out, out)


def test_hostile_bytes(world):
    """A manifest, a signature and a chunk, each cut and with bits that are not theirs."""
    scene = Scene(world)
    good = scene.good
    signature, chunk = good.name + ".minisig", good.chunk_name()
    for name in (good.name, signature, chunk):
        data = good.files[name]
        for n in range(CUTS):
            bad = good.copy()
            bad.files[name] = data[:len(data) * n // CUTS]
            scene.refuse(bad, f"{name} cut at {n}/{CUTS}", "complete", "missing", "signed by",
                         "signature", "where it must be", "are here")
        for n in range(CUTS // 2):
            at = len(data) * n // (CUTS // 2)
            bad = good.copy()
            bad.files[name] = data[:at] + bytes([data[at] ^ 1 << n % 8]) + data[at + 1:]
            if name == signature and at < data.index(b"\n"):
                continue  # the first line is not signed
            scene.refuse(bad, f"{name} changed at {at}", "signed by", "damaged", "complete",
                         "not valid", "does not name", "where it must be", "format", "are here")
    other = good.copy()
    other.files[chunk] = b"x" * len(good.files[chunk])
    scene.refuse(other, "a chunk of the same name and size", "chunk 0 is damaged: copy it again")
    scene.accept()


def test_hostile_signatures(world):
    scene = Scene(world)
    stranger = world.join("stranger.key")
    scene.pair.hub.program("keygen", stranger)
    scene.refuse(scene.sign(scene.good.copy(), key=stranger), "a stranger's key",
                 "not from that hub")
    expired = scene.good.copy().line("created", 1000000000).line("expires", 1000000100)
    scene.refuse(scene.sign(expired), "an expired bundle", "expired on 2001-09-09")
    early = scene.good.copy().line("created", 4000000000).line("expires", 4000000100)
    scene.refuse(scene.sign(early), "a bundle of the future", "set the clock")
    newer = scene.good.copy()
    newer.files[newer.name] = newer.manifest.replace(b"bundle 1\n", b"bundle 3\n", 1)
    scene.refuse(scene.sign(newer), "a newer format", "format 3, and this program knows 2: update")
    huge = scene.good.copy().line("bytes", 1 << 60)
    scene.refuse(scene.sign(huge), "more than the disk", "MiB, and the disk of the store has")
    twice = scene.good.copy()
    twice.files[twice.name + ".minisig.1"] = twice.files[twice.name + ".minisig"]
    hubs = [{"id": scene.pair.hub.status()["store"], "signatures": 2,
             "keys": [carried.public_key(scene.pair.key), carried.public_key(stranger)]}]
    rows = [{key: value for key, value in row.items() if key != "upstream"}
            for row in scene.pair.rows]
    scene.pair.site.configure(rows, bundles={"hubs": hubs})
    scene.refuse(twice, "one key twice", "signed by 1")
    both = scene.sign(scene.good.copy(), key=stranger, suffix=".1")
    both.files[both.name + ".minisig"] = scene.good.files[both.name + ".minisig"]
    scene.good = both
    scene.accept()


def test_hostile_records(world):
    """What a hub can sign that lies, or whose key was stolen."""
    scene = Scene(world)
    for name, bodies, word in hostile.signed_lies():
        scene.refuse(scene.sign(scene.good.copy().chunks(*bodies)), name, word)
    tiny = b"".join(hostile.record(b"%d" % n) for n in range(TINY))
    scene.refuse(scene.sign(scene.good.copy().chunks(tiny)), "tiny objects", "manifest",
                 writes=True)
    most = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss * 1024
    print(f"no program took more than {most / 1e6:.0f} MB")
    check(has_sanitizers() or most <= MEMORY_MAX, f"{most} bytes of memory")
    scene.accept()
