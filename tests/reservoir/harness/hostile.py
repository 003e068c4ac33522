# SPDX-License-Identifier: Apache-2.0
"""Makes bundles as they should not be, of one that is good.

Sources: docs/bundle-format.md; RFC 8878 for frames of zstd that are made by hand
"""

import hashlib
import os
import shutil
import struct
import subprocess

from harness.sandbox import Skip

RAW, ZSTD, PATCH = 0, 1, 2
OBJECT, BATCH, REBUILT, REPACKED, EXPANDED = 1, 2, 3, 4, 5
PACKED_MAX = 8 << 20


def sha256(data):
    return hashlib.sha256(data).digest()


def record(payload=b"", kind=OBJECT, encoding=RAW, digest=None, size=None, length=None, offset=0,
           level=(0, 0), base=(0, 0, bytes(32))):
    """Return a record; what is not given is what it is of a whole raw object."""
    size = len(payload) if size is None else size
    length = size if length is None else length
    digest = sha256(payload) if digest is None else digest
    head = struct.pack("<BBBB4xQQQQQQ8x", kind, encoding, *level, len(payload), size, offset,
                       length, *base[:2])
    return head + digest + base[2] + payload


def frame(size, window=None, blocks=None):
    """Return a zstd frame of zeros: 128 KiB in 4 bytes each, or of a window that is claimed."""
    out = struct.pack("<I", 0xFD2FB528)
    if window is None:
        out += struct.pack("<BQ", 0xE0, size)
    else:
        out += struct.pack("<BBQ", 0xC0, window, size)
    left = size if blocks is None else blocks * (128 << 10)
    while left > 0:
        n = min(left, 128 << 10)
        left -= n
        out += struct.pack("<I", (left == 0) | 1 << 1 | n << 3)[:3] + b"\0"
    return out


class Bundle:
    """The files of a bundle, which can be changed and signed again."""

    def __init__(self, paths, key):
        self.key = key
        self.name = os.path.basename(paths[0])
        self.files = {}
        for path in paths:
            with open(path, "rb") as file:
                self.files[os.path.basename(path)] = file.read()

    @property
    def stem(self):
        return self.name[:-len(".manifest")]

    @property
    def manifest(self):
        return self.files[self.name]

    def copy(self):
        made = Bundle.__new__(Bundle)
        made.key, made.name, made.files = self.key, self.name, dict(self.files)
        return made

    def chunk_name(self, index=0):
        return f"{self.stem}.{index:05}.chunk"

    def line(self, name, value):
        """Replace what a line of the manifest says."""
        lines = self.manifest.split(b"\n")
        at = next(i for i, line in enumerate(lines) if line.startswith(name.encode() + b" "))
        lines[at] = f"{name} {value}".encode()
        self.files[self.name] = b"\n".join(lines)
        return self

    def chunks(self, *bodies):
        """Replace all chunks by others, of which only what follows the header is given."""
        for name in [name for name in self.files if name.endswith(".chunk")]:
            del self.files[name]
        hub = next(line for line in self.manifest.split(b"\n") if line.startswith(b"hub "))[4:]
        sequence = int(self.stem.split("-")[1])
        rows = []
        for index, body in enumerate(bodies):
            data = struct.pack("<8sQQ32s8x", b"SILCHNK1", index, sequence, hub) + body
            self.files[self.chunk_name(index)] = data
            rows.append(f"{hashlib.sha256(data).hexdigest()} {len(data)}\n".encode())
        head = self.manifest[:self.manifest.index(b"\nchunks ") + 1]
        self.files[self.name] = (head + b"chunks %d\n" % len(rows) + b"".join(rows) + b"end\n")
        return self

    def write(self, folder):
        """Write the files into an empty folder; return the path of the manifest."""
        shutil.rmtree(folder, ignore_errors=True)
        os.makedirs(folder)
        for name, data in self.files.items():
            with open(os.path.join(folder, name), "wb") as file:
                file.write(data)
        return os.path.join(folder, self.name)

    def sign(self, folder, key=None, suffix=""):
        """Sign the manifest as minisign does."""
        if not shutil.which("minisign"):
            raise Skip("minisign is not installed")
        path = self.write(folder)
        out = path + ".minisig"
        subprocess.run(["minisign", "-S", "-s", key or self.key, "-m", path, "-x", out],
                       check=True, capture_output=True, stdin=subprocess.DEVNULL)
        with open(out, "rb") as file:
            self.files[self.name + ".minisig" + suffix] = file.read()
        return self


def signed_lies():
    """Yield (name, chunks, word of the refusal) of what a hub with a stolen key could send."""
    good = b"good"
    zeros = bytes(32)
    yield "other bytes", [record(b"evil", digest=sha256(good))], "do not hash"
    yield "a bomb", [record(frame(1 << 40, blocks=64), encoding=ZSTD, size=100,
                            digest=zeros)], "unpack"
    yield "a huge size", [record(frame(1 << 40, blocks=64), encoding=ZSTD, size=1 << 40,
                                 digest=zeros)], "not valid"
    yield "a huge window", [record(frame(1000, window=0xFF), encoding=ZSTD, size=1000,
                                   digest=zeros)], "unpack"
    yield "more than it says", [record(frame(PACKED_MAX, blocks=4096), encoding=ZSTD,
                                       size=PACKED_MAX, digest=zeros)], "unpack"
    yield "zeros of another name", [record(frame(PACKED_MAX), encoding=ZSTD, size=PACKED_MAX,
                                           digest=zeros)], "do not hash"
    yield "an end too early", [record(good)[:-1]], "cut off"
    yield "half a header", [record(good)[:60]], "cut off"
    yield "an unknown kind", [record(good, kind=9)], "not valid"
    yield "an offset beyond", [record(good, offset=1 << 63)], "not valid"
    yield "a batch of batches", [record(record(good, kind=BATCH), kind=BATCH, encoding=RAW,
                                        digest=zeros)], "not valid"
    yield "a level that is none", [record(kind=REBUILT, size=9, length=0, digest=zeros,
                                          level=(1, 23))], "not valid"
    yield "no xz", [record(frame(64), kind=REPACKED, encoding=ZSTD, size=64, digest=zeros,
                           level=(3, 6))], "made again"
    yield "a frame behind its end", [record(good, kind=REBUILT, size=9, length=0, digest=zeros,
                                            offset=5, level=(1, 9))], "not valid"
    yield "a long index", [record(kind=EXPANDED, size=1 << 40, length=0, digest=zeros,
                                  base=(0, 0, sha256(good)))], "not valid"
    yield "nothing at all", [b""], "manifest of repository"
    yield "no chunk", [], "manifest of repository"
