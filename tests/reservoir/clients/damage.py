# SPDX-License-Identifier: Apache-2.0
"""What becomes of flipped bits.  Each test_X is reservoir.clients.X."""

import os

from harness.world import check, hello, hello_debs

INCOMPLETE = 3


def objects(made):
    """Return the paths of all objects."""
    return [os.path.join(folder, name)
            for folder, _, names in os.walk(os.path.join(made.store, "objects"))
            for name in names]


def contents(made):
    """Return {name: bytes} of all objects."""
    found = {}
    for path in objects(made):
        with open(path, "rb") as file:
            found[os.path.basename(path)] = file.read()
    return found


def flip(path):
    """Flip one bit in the middle of a file."""
    os.chmod(path, 0o644)
    with open(path, "r+b") as file:
        data = bytearray(file.read())
        if not data:
            return 0
        data[len(data) // 2] ^= 4
        file.seek(0)
        file.write(data)
    return 1


def damage_all_and_sync(world, row):
    hub = world.reservoir()
    hub.configure([row])
    hub.sync()
    flipped = sum(flip(path) for path in objects(hub))
    told = hub.run("verify", status=INCOMPLETE)
    check(f"{flipped} objects quarantined" in told, told)
    hub.sync()
    # Of the old generation the manifest may be lost; what clients get is whole.
    check("all as it should be" in hub.run("verify", row["name"]), "something is damaged")
    hub.run("gc", "--keep", "1")
    check("all as it should be" in hub.run("verify"), "something is damaged")


def test_sync_has_every_damaged_object_of_pypi_anew(world):
    hello(world.index)
    damage_all_and_sync(world, world.pypi_row())


def test_sync_has_every_damaged_object_of_apt_anew(world):
    hello_debs(world.archive())
    damage_all_and_sync(world, world.apt_row())


def test_sync_makes_a_damaged_curated_archive_anew(world):
    hello_debs(world.archive())
    damage_all_and_sync(world, world.curated_row())


def test_verify_repairs_what_has_a_source(world):
    hello(world.index)
    hello_debs(world.archive())
    hub = world.reservoir()
    hub.configure([world.pypi_row(), world.apt_row()])
    hub.sync()
    before = contents(hub)
    for path in objects(hub):
        with open(path, "rb") as file:
            first = file.read(2)
        if first in (b"PK", b"Me", b"!<"):  # wheels, their metadata, and packages
            flip(path)
    hub.run("verify", status=INCOMPLETE)
    hub.run("verify", "--repair")
    check(contents(hub) == before, "not all is as it was")
