# SPDX-License-Identifier: Apache-2.0
"""A week of security updates: what an archive is on each day, and how its bundles are carried.

Sources: Debian's "DebianRepository/Format" page on Valid-Until, by-hash and diffs
"""

import glob
import os
import shutil
import time

from harness import carried, reservoir
from harness.world import check

DAY = 86400
CHUNK = 64 * 1024
SHARE_OF_OBJECTS, SHARE_OF_INDEXES = 1.01, 0.02  # of a bundle, at most


def files_below(root):
    """Return {path: (bytes, inode and time)}; an archive's files are replaced, not changed."""
    found = {}
    for folder, _, names in os.walk(root):
        for name in names:
            path = os.path.join(folder, name)
            st = os.stat(path)
            found[os.path.relpath(path, root)] = (st.st_size, st.st_ino, st.st_mtime_ns)
    return found


class Week:
    """A hub that syncs an archive day by day, and a site that gets the bundles in a directory."""

    def __init__(self, world, made, days, **options):
        self.world, self.made, self.days = world, made, days
        self.today = int(time.time()) - (len(days) + 1) * 3600
        self.sizes = []
        self.rows = [world.apt_row(pdiffs=True, **options)]
        self.publish()
        self.pair = carried.Pair(world, self.rows)
        self.pair.hub.configure(self.rows, bundles={"secretKeys": [self.pair.key],
                                                    "chunkSize": str(CHUNK)})
        self.pair.hub.sync()
        self.drop = world.folder("drop")
        self.watcher = self.pair.site.watch(self.drop)
        self.apt = world.apt()
        self.expected = {}

    def publish(self):
        self.today += 3600
        self.made.publish(self.today)

    def stem(self, number):
        return f"{self.pair.hub.status()['store'][:8]}-{number}"

    def export(self):
        """Export what the hub has; return the files of the bundle and note its size."""
        paths = self.pair.export()
        return paths

    def begin(self):
        """Carry the archive as it is before the week, and let apt see it."""
        self.put(self.export())
        self.applied(1)
        self.pair.site.serve()
        self.apt.source(self.pair.site.url + "/apt", self.world.gpg().public,
                        suite=self.made.suite)
        self.look()

    def day(self):
        """Let a day pass at the hub; return the files of its bundle."""
        before = files_below(self.made.root)
        self.days[len(self.sizes)](self.made)
        self.publish()
        self.pair.hub.sync()
        paths = self.export()
        changed = {path: what for path, what in files_below(self.made.root).items()
                   if before.get(path) != what}
        new = sum(what[0] for path, what in changed.items() if path.startswith("pool/"))
        index = sum(what[0] for path, what in changed.items()
                    if path.startswith("dists/") and "/by-hash/" not in path)
        self.sizes.append((self.pair.bundle_bytes, new, index))
        return paths

    def put(self, paths, part=1.0):
        """Drop files, or the beginning of each."""
        for path in paths:
            with open(path, "rb") as file:
                data = file.read()
            target = os.path.join(self.drop, os.path.basename(path))
            with open(target, "wb") as file:
                file.write(data[:int(len(data) * part)])

    def put_slowly(self, paths, pieces=4):
        for path in paths:
            with open(path, "rb") as file:
                data = file.read()
            size = 1 + len(data) // pieces
            with open(os.path.join(self.drop, os.path.basename(path)), "wb",
                      buffering=0) as out:
                for at in range(0, len(data), size):
                    out.write(data[at:at + size])
                    time.sleep(0.02)

    def applied(self, number):
        done = os.path.join(self.drop, "done", str(number), self.stem(number) + ".manifest")
        reservoir.wait(f"bundle {number} to be applied", lambda: os.path.exists(done))

    def gone(self, number):
        """Wait until no file of a bundle is in the directory any more."""
        reservoir.wait(f"the files of bundle {number} to be moved", lambda: not [
            path for path in glob.glob(os.path.join(self.drop, self.stem(number) + ".*"))])

    def waits(self, number, word):
        """Wait until the directory says what a bundle waits for."""
        note = os.path.join(self.drop, self.stem(number) + ".waiting")

        def says():
            try:
                with open(note, encoding="utf-8") as file:
                    return word in file.read()
            except FileNotFoundError:
                return False

        reservoir.wait(f"'{word}' in the note of bundle {number}", says)

    def look(self):
        """Let apt at the site see what the archive had on the day that was applied last."""
        out = self.apt.update()
        check("Err" not in out and "Hash Sum mismatch" not in out, out)
        out = self.apt.run("apt-cache", "dumpavail")
        seen = {}
        for stanza in out.split("\n\n"):
            fields = dict(line.split(": ", 1) for line in stanza.splitlines()
                          if ": " in line and line[0] not in " \t")
            if "Package" in fields:
                seen[fields["Package"]] = fields["Version"]
        return seen

    def see(self, *names, wanted=None):
        """Check the versions that apt sees, and let it fetch some packages, which it verifies."""
        seen = self.look()
        wanted = wanted or self.versions()
        check(seen == wanted, f"apt sees {set(seen.items()) ^ set(wanted.items())}")
        if names:
            folder = self.world.folder("fetched")
            self.apt.run("apt-get", "download", *names, cwd=folder)
            for name in names:
                found = glob.glob(os.path.join(folder, f"{name}_*.deb"))
                check(len(found) == 1, f"{name}: {found}")
            shutil.rmtree(folder)

    def versions(self):
        return {name: version for component in self.made.stanzas.values()
                for name, version in component}

    def report(self):
        """Print the sizes of the week's bundles; return how much over their maximum they are."""
        over = []
        for number, (bundle, new, index) in enumerate(self.sizes, 1):
            most = SHARE_OF_OBJECTS * new + SHARE_OF_INDEXES * index
            print(f"day {number}: bundle {bundle:,} bytes of {new:,} of new packages and "
                  f"{index:,} of changed indexes: at most {most:,.0f}")
            if bundle > most:
                over.append(f"day {number}: {bundle:,} > {most:,.0f}")
        return over


def carry(week, names):
    """Carry a week's bundles, each in another way; names(day) are packages that apt fetches."""
    week.begin()
    first = week.day()
    week.put_slowly(first)
    week.applied(2)
    week.see(*names(1))
    week.put(first)  # the same again
    week.gone(2)
    week.see()
    second = week.day()
    week.put(second, part=0.5)
    week.waits(3, "complete")
    week.put(second)
    week.applied(3)
    week.see(*names(2))
    third = week.day()
    for path in sorted(third, reverse=True):
        week.put([path])
        time.sleep(0.05)
    week.applied(4)
    week.see(*names(3))
    before = week.versions()
    fourth, fifth = week.day(), week.day()
    week.put(fifth)
    week.waits(6, "5 is missing")
    week.see(wanted=before)
    week.put(fourth)
    week.applied(6)
    week.see(*names(4), *names(5))
    sixth, seventh = week.day(), week.day()
    both = sorted(sixth + seventh, key=lambda path: os.path.basename(path).split(".", 1)[1])
    week.put_slowly(both, pieces=2)
    week.applied(8)
    week.see(*names(6), *names(7))
    check(week.watcher.poll() is None, "the watcher has ended")
    left = [name for name in os.listdir(week.drop) if name not in ("done", "rejected", "receipts")]
    check(not left and not os.listdir(os.path.join(week.drop, "rejected")), f"{left} is left")
