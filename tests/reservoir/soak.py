#!/usr/bin/env -S python3 -B
# SPDX-License-Identifier: Apache-2.0
"""Real clients update while the server publishes: no client may ever see a mixed state.

The publishes are spread over the updates: each adds packages and takes old ones away, while
several `apt-get update` and a pip run at once.  "Hash Sum mismatch", 404, a package that an
index names and the server has not: whatever a client only warns of is counted as a failure.
"""

import argparse
import os
import shutil
import sys
import threading
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

from harness import reservoir, sandbox  # noqa: E402 (needs the path above)
from harness.world import World, check, hello, hello_debs  # noqa: E402

SIMPLE = "/pypi/simple/"
KEPT = 3  # versions of a package that upstream has at a time
PACKAGES = 40
PUBLISHES_OF_PIP = 5  # between two downloads of pip, which take long
FAILURES_MAX = 10  # after which there is nothing more to learn
LINES = 20  # that tell of the progress


class Soak:
    """What was done so far, which the publisher and the clients tell each other."""

    def __init__(self, updates, publishes):
        self.updates, self.publishes = updates, publishes
        self.changed = threading.Condition()
        self.begun = self.published = 0
        self.updated = self.overlapped = 0
        self.failures = []
        self.start = time.monotonic()

    def ended(self):
        return len(self.failures) >= FAILURES_MAX or (
            self.published >= self.publishes and self.updated >= self.updates)

    def fail(self, error):
        with self.changed:
            self.failures.append(error)
            self.changed.notify_all()

    def count(self, published):
        """Count an update that began when so many publishes were over."""
        with self.changed:
            self.updated += 1
            self.overlapped += self.begun > published
            if self.updated % max(self.updates // LINES, 1) == 0:
                print(self, flush=True)
            self.changed.notify_all()

    def next_publish(self):
        """Wait for the updates of the publish before; return its number, None at the end."""
        with self.changed:
            due = self.begun * self.updates // self.publishes
            self.changed.wait_for(lambda: self.updated >= due or self.ended())
            if self.begun == self.publishes or self.ended():
                return None
            self.begun += 1
            return self.begun - 1

    def end_publish(self):
        with self.changed:
            self.published += 1
            self.changed.notify_all()

    def wait_for_publish(self, number):
        with self.changed:
            self.changed.wait_for(lambda: self.begun > number or self.ended())

    def __str__(self):
        return (f"{self.updated:,} updates, {self.overlapped:,} of them during a publish; "
                f"{self.published:,} publishes; {len(self.failures)} failures; "
                f"{time.monotonic() - self.start:.0f} s")


class Publisher(threading.Thread):
    """Changes the upstream and syncs, again and again."""

    def __init__(self, world, made, hub, soak):
        super().__init__()
        self.world, self.made, self.hub, self.soak = world, made, hub, soak

    def run(self):
        while (number := self.soak.next_publish()) is not None:
            try:
                self.publish(number)
            except Exception as error:  # pylint: disable=broad-except (told by the main thread)
                self.soak.fail(error)
            self.soak.end_publish()

    def publish(self, number):
        if number % 2 == 0:
            version = f"1.{number}"
            self.made.add("hello", version, depends="libhello (>= 1)")
            self.made.stanzas["main"].pop(("hello", f"1.{number - 2 * KEPT}"), None)
            self.made.publish()
        else:
            self.world.index.add("hello-lib", f"2.{number}")
            files = self.world.index.projects["hello-lib"]
            if len(files) > KEPT:
                files.pop(0)
        self.hub.sync()


class Client(threading.Thread):
    """Does its work until publishes and updates are over."""

    def __init__(self, work, soak):
        super().__init__()
        self.work, self.soak = work, soak
        self.turns = 0

    def turn(self):
        try:
            self.work(self.turns)
        except Exception as error:  # pylint: disable=broad-except (told by the main thread)
            self.soak.fail(error)
        self.turns += 1


class Apt(Client):
    def run(self):
        while not self.soak.ended():
            published = self.soak.published
            self.turn()
            self.soak.count(published)


class Pip(Client):
    def run(self):
        while not self.soak.ended():
            self.turn()
            self.soak.wait_for_publish(self.turns * PUBLISHES_OF_PIP)


def apt_work(world, hub, number):
    apt = world.apt(f"apt-{number}")
    apt.source(hub.url + "/apt", world.gpg().public)

    def work(turn):
        if turn % 4 == 3:  # as a new machine
            shutil.rmtree(os.path.join(apt.root, "var/lib/apt/lists"))
            os.makedirs(os.path.join(apt.root, "var/lib/apt/lists/partial"))
        apt.update()
        if turn % 8 == 7:
            archives = os.path.join(apt.root, "var/cache/apt/archives")
            for name in os.listdir(archives):
                if name.endswith(".deb"):
                    os.unlink(os.path.join(archives, name))
            # A version that upstream has dropped since may be gone by now, as upstream.
            apt.run("apt-get", "install", "-y", "--download-only", "libhello")
    return work


def pip_work(world, hub):
    pip = world.pip()

    def work(turn):
        target = os.path.join(pip.target, str(turn % 2))
        pip.pip("download", "-q", "--index-url", hub.url + SIMPLE, "-d", target, "hello-world")
    return work


def play(world, options):
    hello(world.index)
    made = world.archive()
    for number in range(PACKAGES):
        made.add(f"package-{number}")
    hello_debs(made)
    hub = world.serving(world.apt_row(keepIndexes=8), world.pypi_row(),
                        keep={"generations": 8})
    soak = Soak(options.updates, options.publishes)
    publisher = Publisher(world, made, hub, soak)
    apts = [Apt(apt_work(world, hub, n), soak) for n in range(options.clients)]
    pip = Pip(pip_work(world, hub), soak)
    for thread in [publisher, *apts, pip]:
        thread.start()
    for thread in [publisher, *apts, pip]:
        thread.join()
    hub.stop()
    for error in soak.failures:
        print(f"FAILED: {error}")
    print(f"soak: {'FAILED' if soak.failures else 'passed'}: {soak}; {len(apts)} apt, and a pip "
          f"that downloaded {pip.turns:,} times")
    check(not soak.failures, f"{len(soak.failures)} failures")


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--updates", type=int, default=10_000)
    parser.add_argument("--publishes", type=int, default=1_000)
    parser.add_argument("--clients", type=int, default=4, help="apt clients, beside one pip")
    options = parser.parse_args()
    if not sandbox.is_inside():
        status = sandbox.run_inside(sys.argv)
        if status is not None:
            return status
    if sandbox.is_inside():
        sandbox.loopback_up()
    with World("soak") as world:
        try:
            play(world, options)
        except sandbox.Skip as reason:
            print(f"skipped: {reason}")
            return sandbox.SKIPPED
        except reservoir.Failed as error:
            print(f"FAILED: {error}\n{world.tail()}")
            return 1
    return 0


sys.exit(main())
