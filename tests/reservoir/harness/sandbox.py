# SPDX-License-Identifier: Apache-2.0
"""A network of its own, folders that go away, and children that end with their parent."""

import ctypes
import fcntl
import os
import shutil
import signal
import socket
import struct
import subprocess
import sys
import tempfile

INSIDE = "RESERVOIR_SANDBOX"  # in the environment of who is inside
SKIPPED = 77                  # exit status of a test that cannot be run here
PR_SET_PDEATHSIG = 1
SIOCGIFFLAGS, SIOCSIFFLAGS, IFF_UP = 0x8913, 0x8914, 1
MEMORY = "/dev/shm"
ROOM = 2 << 30                # bytes there, for all tests that run at a time

_libc = ctypes.CDLL(None)


class Skip(Exception):
    """What a test needs is not on this machine."""


def _die_with_parent():
    _libc.prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


def in_memory():
    """Make temporary folders in memory where there is room, unless TMPDIR says where.

    Stores flush what they write: on a disk, waiting for that is most of what tests do.
    """
    try:
        found = os.statvfs(MEMORY)
    except OSError:
        return
    if ("TMPDIR" not in os.environ and os.access(MEMORY, os.W_OK)
            and not found.f_flag & os.ST_NOEXEC and found.f_bavail * found.f_frsize >= ROOM):
        tempfile.tempdir = MEMORY


def unshare_command():
    """Return the words that start a program without a route out, or None."""
    for words in (["unshare", "-n"], ["unshare", "-Urn"]):
        try:
            if subprocess.run([*words, "true"], capture_output=True, check=False).returncode == 0:
                return words
        except FileNotFoundError:
            return None
    return None


def is_inside():
    return INSIDE in os.environ


def run_inside(argv, env=None):
    """Run this program again where there is no network but its own; return its status."""
    words = unshare_command()
    if words is None:
        return None
    with subprocess.Popen([*words, sys.executable, "-B", *argv], preexec_fn=_die_with_parent,
                          env={**os.environ, **(env or {}), INSIDE: "1"}) as child:
        return child.wait()


def loopback_up():
    """Bring up the loopback of a new network, the only device that it has."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as any_socket:
        request = struct.pack("16sh14x", b"lo", 0)
        flags = struct.unpack("16sh14x", fcntl.ioctl(any_socket, SIOCGIFFLAGS, request))[1]
        fcntl.ioctl(any_socket, SIOCSIFFLAGS, struct.pack("16sh14x", b"lo", flags | IFF_UP))


def has_route_out():
    """Say whether any address but its own can be reached."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as any_socket:
        try:
            any_socket.connect(("192.0.2.1", 9))
        except OSError:
            return False
        return True


def free_port():
    with socket.socket() as any_socket:
        any_socket.bind(("127.0.0.1", 0))
        return any_socket.getsockname()[1]


class Folder:
    """A temporary directory and the children that work in it."""

    def __init__(self, name, keep=False):
        self.path = tempfile.mkdtemp(prefix=f"reservoir-{name[:20]}-")
        self.keep = keep
        self.children = []
        self.parents = set()  # those of them that have their own, and end these on SIGTERM
        self.at_end = []

    def __enter__(self):
        return self

    def __exit__(self, *_):
        for child in reversed(self.children):
            end(child, signal.SIGTERM if child in self.parents else signal.SIGKILL)
        for action in reversed(self.at_end):
            action()
        if not self.keep:
            shutil.rmtree(self.path, ignore_errors=True)

    def join(self, *parts):
        """Return a path in the folder, whose parents exist."""
        path = os.path.join(self.path, *parts)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        return path

    def folder(self, *parts):
        path = os.path.join(self.path, *parts)
        os.makedirs(path, exist_ok=True)
        return path

    def write(self, path, data):
        path = self.join(path)
        with open(path, "wb") as file:
            file.write(data if isinstance(data, bytes) else data.encode())
        return path

    def start(self, words, log=None, **options):
        """Start a child that ends with the folder; its output goes to a file."""
        with open(self.join(log or "children.log"), "ab") as out:
            child = subprocess.Popen(words, stdin=subprocess.DEVNULL, stdout=out, stderr=out,
                                     preexec_fn=_die_with_parent, **options)
        self.children.append(child)
        return child


def end(child, how=signal.SIGKILL, patience=20):
    """End a child and return its status."""
    if child.poll() is None:
        child.send_signal(how)
        try:
            child.wait(patience)
        except subprocess.TimeoutExpired:
            child.kill()
            child.wait()
    return child.returncode


def clean_environment(home, **more):
    """Return an environment in which no configuration of the machine counts."""
    return {"PATH": os.environ.get("PATH", "/usr/bin:/bin") + ":/usr/sbin:/sbin", "HOME": home,
            "LANG": "C.UTF-8", "TZ": "UTC", **more}
