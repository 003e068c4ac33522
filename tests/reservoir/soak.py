#!/usr/bin/env -S python3 -B
# SPDX-License-Identifier: Apache-2.0
"""Real clients update while the server publishes: no client may ever see a mixed state.

Two syncs a second or so publish new packages and take old ones away; meanwhile several
`apt-get update` and pip downloads run at once.  Any failure of any client fails the soak:
"Hash Sum mismatch", 404, a package that an index names and the server has not.
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


class Publisher(threading.Thread):
    """Changes the upstream and syncs, again and again."""

    def __init__(self, world, made, hub, publishes):
        super().__init__()
        self.world, self.made, self.hub, self.publishes = world, made, hub, publishes
        self.done = 0
        self.error = None

    def run(self):
        try:
            while self.done < self.publishes and not self.error:
                self.publish(self.done)
                self.done += 1
        except Exception as error:  # pylint: disable=broad-except (told by the main thread)
            self.error = error

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


class Updater(threading.Thread):
    """A client that updates until the publishes are over, and the updates too."""

    def __init__(self, number, work, state):
        super().__init__()
        self.number, self.work, self.state = number, work, state
        self.updates = 0
        self.error = None

    def run(self):
        try:
            while self.state.more():
                self.work(self.updates)
                self.updates += 1
                self.state.count()
        except Exception as error:  # pylint: disable=broad-except (told by the main thread)
            self.error = error
            self.state.failed = True


class State:
    def __init__(self, publisher, updates):
        self.publisher, self.updates = publisher, updates
        self.lock = threading.Lock()
        self.done = 0
        self.failed = False

    def more(self):
        return not self.failed and (self.publisher.is_alive() or self.done < self.updates)

    def count(self):
        with self.lock:
            self.done += 1


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


def pip_work(world, hub, number):
    pip = world.pip(f"pip-{number}")

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
    publisher = Publisher(world, made, hub, options.publishes)
    state = State(publisher, options.updates)
    works = [apt_work(world, hub, n) for n in range(options.clients)] + [pip_work(world, hub, 0)]
    updaters = [Updater(number, work, state) for number, work in enumerate(works)]
    start = time.monotonic()
    publisher.start()
    for updater in updaters:
        updater.start()
    for updater in updaters:
        updater.join()
    publisher.error = publisher.error or (None if not publisher.is_alive() else "too slow")
    publisher.join()
    for thread in [publisher, *updaters]:
        if thread.error and thread.error != "too slow":
            raise thread.error
    hub.stop()
    took = time.monotonic() - start
    check(publisher.done == options.publishes, f"{publisher.done} publishes")
    check(state.done >= options.updates, f"{state.done} updates")
    print(f"{state.done} updates of {len(updaters)} clients during {publisher.done} publishes "
          f"in {took:.0f} s: none failed")


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--updates", type=int, default=10_000)
    parser.add_argument("--publishes", type=int, default=1_000)
    parser.add_argument("--clients", type=int, default=4, help="apt clients beside one pip")
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
