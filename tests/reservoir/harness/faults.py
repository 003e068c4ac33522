# SPDX-License-Identifier: Apache-2.0
"""Commands whose disk fails, at one call after the other."""

import os
import re
import shutil
import subprocess

from harness.reservoir import Failed, PATIENCE, program, wait
from harness.sandbox import SKIPPED, Skip

CRASHED = 126  # an exit status above is that of a signal, or of nothing that was run
DENSE = bool(os.environ.get("FAULTS"))  # every call, not one of each kind
SHOWN = 200 if DENSE else 4  # of what went wrong
FREES = re.compile(r"\d+ (unlink|unlinkat|rmdir|fchmod|utimensat) ")  # on a full disk, too
SAID = {"ENOSPC": "No space left", "EIO": "Input/output error", "EROFS": "Read-only file system",
        "EMFILE": "Too many open files", "EDQUOT": "Disk quota exceeded"}


def injector():
    """Return the path of the program that answers calls with errors."""
    path = os.path.join(os.path.dirname(program()), "reservoir-fault")
    if not os.access(path, os.X_OK):
        raise Skip(f"{path} is not built")
    return path


def kind_of(line):
    """Return what a counted call is, without names that are other ones each time."""
    _, call, path = line.split(" ", 2)
    path = re.sub(r"[0-9a-f]{32,}", "HASH", path)
    path = re.sub(r"objects/[0-9a-f]{2}\b", "objects/XX", path)
    return call.rstrip("!"), re.sub(r"\d+|\.[A-Za-z0-9]{6}$", "N", path)


class Faults:
    """One command on copies of what is there; the disk fails below some directories."""

    def __init__(self, world, made, places):
        self.world, self.made = world, made
        self.places = places
        self.before = world.folder("before")
        self.report = world.join("fault.report")
        for place in places:
            if os.path.exists(place):
                self.copy(place, self.kept(place))

    def kept(self, place):
        return os.path.join(self.before, os.path.basename(place))

    @staticmethod
    def copy(source, target):
        shutil.rmtree(target, ignore_errors=True)
        subprocess.run(["cp", "-a", source, target], check=True)

    def restore(self):
        """Have all as it was before the command."""
        for place in self.places:
            shutil.rmtree(place, ignore_errors=True)
            if os.path.exists(self.kept(place)):
                self.copy(self.kept(place), place)

    def line(self, words, fault=None, reads=False):
        below = [word for place in self.places for word in ("--below", place)]
        fault = ["--fail", fault] if fault else []
        return [injector(), *below, *fault, *(["--reads"] if reads else []),
                "--report", self.report, program(), *words]

    def run(self, words, fault=None, reads=False):
        """Run the command; return (status, what it said, the calls)."""
        done = subprocess.run(self.line(words, fault, reads), env=self.made.env, text=True,
                              capture_output=True, timeout=PATIENCE, stdin=subprocess.DEVNULL,
                              check=False)
        with open(self.world.join(self.made.log), "a", encoding="utf-8") as log:
            log.write(f"$ {fault} {' '.join(words)}\n{done.stdout}{done.stderr}")
        if done.returncode == SKIPPED:
            raise Skip(done.stderr)
        with open(self.report, encoding="utf-8") as file:
            calls = file.read().splitlines()
        return done.returncode, done.stdout + done.stderr, calls

    def start(self, words, fault):
        """Start the command on a disk that hangs; return it once it does."""
        os.unlink(self.report)
        child = subprocess.Popen(self.line(words, fault), env=self.made.env, text=True,
                                 stdin=subprocess.DEVNULL, stdout=subprocess.PIPE)
        self.world.children.append(child)
        wait("the disk to hang", lambda: os.path.exists(self.report) and "!" in self.read())
        return child

    def read(self):
        with open(self.report, encoding="utf-8") as file:
            return file.read()

    @staticmethod
    def chosen(calls, done):
        """Return the numbers of calls that fail: all, or of each kind that is not @done one."""
        numbers = []
        for number, line in enumerate(calls, 1):
            kind = line and kind_of(line)
            if kind and (DENSE or kind not in done):
                numbers.append(number)
                done.add(kind)
        return numbers

    def walk(self, words, check, errors=("+ENOSPC", "EIO"), reads=False, statuses=(1, 3)):
        """Have each chosen call fail; @check looks at what is left, and ends the work."""
        self.restore()
        status, said, calls = self.run(words, reads=reads)
        if status != 0:
            raise Failed(f"{words} without a fault: {status}\n{said}")
        told, wrong, done = {}, [], set()
        for error in errors:
            refused = [line if "ENOSPC" not in error or not FREES.match(line) else None
                       for line in calls]
            for number in self.chosen(refused, done):
                fault = f"{number}{'+' if error[0] == '+' else ''}={error.lstrip('+')}"
                self.restore()
                status, said, seen = self.run(words, fault, reads)
                failed = [line for line in seen if "!" in line.split(" ")[1]]
                told.setdefault((status, error, str(failed and kind_of(failed[0]))), said)
                try:
                    self.judge(status, said, statuses)
                    check(status, said)
                except (Failed, OSError) as why:
                    wrong.append(f"{' '.join(words)} with {fault} at {failed[:1]}: "
                                 f"{status}\n{said}then: {why}")
        if wrong:
            raise Failed(f"{len(wrong)} of the failures, as\n" + "\n".join(wrong[:SHOWN]))
        return told

    @staticmethod
    def judge(status, said, statuses):
        if status >= CRASHED or "Sanitizer" in said or "runtime error" in said:
            raise Failed("it crashed")
        if status not in (0, *statuses):
            raise Failed("the exit status is another one")
