# SPDX-License-Identifier: Apache-2.0
"""APT archives in the shapes that distributions and vendors give them.

A layout is written from nothing: which indexes there are, in which forms, which of them the
Release lists, under which hashes, and how it is signed.

Sources: Debian's "DebianRepository/Format" page; the archives of Ubuntu, of its ports, and
the flat ones of vendors
"""

import gzip
import hashlib
import lzma
import os
import time

from harness import packages
from harness.archive import write

PACK = {"": bytes, ".gz": lambda data: gzip.compress(data, 9, mtime=0), ".xz": lzma.compress}
NAMES = {"MD5Sum": "md5", "SHA1": "sha1", "SHA256": "sha256", "SHA512": "sha512"}


def stamp(seconds):
    return time.strftime("%a, %d %b %Y %H:%M:%S UTC", time.gmtime(seconds))


class Layout:
    """A suite below a directory; what is given beside the names says how it differs."""

    def __init__(self, root, gpg, suite="stable", components=("main",), architectures=("amd64",),
                 **how):
        self.root, self.gpg, self.suite = root, gpg, suite
        self.components, self.architectures = components, architectures
        self.flat = suite.endswith("/")
        self.base = os.path.join(root, suite if self.flat else f"dists/{suite}")
        self.fields = how.get("fields", {})           # more of Release
        self.hashes = how.get("hashes", ("SHA256",))  # of Release
        self.listed = how.get("listed", ("", ".gz", ".xz"))
        self.there = how.get("there", (".gz", ".xz"))
        self.by_hash = how.get("by_hash", ())         # algorithms
        self.signatures = how.get("signatures", ("InRelease", "Release.gpg"))
        self.style = how.get("style", bytes)          # what becomes of the bytes of Release
        self.index_style = how.get("index_style", bytes)
        self.deb_hashes = how.get("deb_hashes", ("MD5sum", "SHA1", "SHA256"))
        self.path_style = how.get("path_style", "{}")
        self.stanzas = {}
        self.more = {}                                # other indexes: {stem: bytes}

    def add(self, name, version="1.0", component=None, architecture="all", extra="", **what):
        component = component or self.components[0]
        text, data = packages.deb(name, version, architecture=architecture, **what)
        file = f"{name}_{version.replace(':', '%3a')}_{architecture}.deb"
        path = (f"{self.suite}{file}".removeprefix("./") if self.flat
                else f"pool/{component}/{name[0]}/{name}/{file}")
        write(os.path.join(self.root, path), data)
        sums = "".join(f"{algorithm}: "
                       f"{hashlib.new(algorithm.lower().removesuffix('sum'), data).hexdigest()}\n"
                       if algorithm != "MD5sum" else f"MD5sum: {hashlib.md5(data).hexdigest()}\n"
                       for algorithm in self.deb_hashes)
        stanza = (f"{text}Filename: {self.path_style.format(path)}\nSize: {len(data)}\n"
                  f"{sums}{extra}")
        architectures = self.architectures if architecture == "all" else (architecture,)
        if architecture == "all" and "all" in self.architectures:
            architectures = ("all",)
        for one in architectures:
            self.stanzas.setdefault((component, one), []).append(stanza)
        return path

    def indexes(self):
        """Return {stem below the suite: bytes}."""
        found = {}
        for component in self.components:
            for architecture in self.architectures:
                text = "\n".join(self.stanzas.get((component, architecture), [])).encode()
                stem = "Packages" if self.flat else f"{component}/binary-{architecture}/Packages"
                found[stem] = self.index_style(text)
        return {**found, **self.more}

    def publish(self, when=None):
        when = int(time.time()) if when is None else when
        lines = {algorithm: [] for algorithm in self.hashes}
        for stem, text in self.indexes().items():
            for ending in dict.fromkeys((*self.listed, *self.there)):
                data = PACK[ending](text)
                path = os.path.join(self.base, stem + ending)
                if ending in self.there:
                    write(path, data, when)
                if ending not in self.listed:
                    continue
                for algorithm in self.hashes:
                    digest = hashlib.new(NAMES[algorithm], data).hexdigest()
                    lines[algorithm].append(f" {digest} {len(data):16} {stem}{ending}")
                    if algorithm in self.by_hash:
                        write(os.path.join(os.path.dirname(path), "by-hash", algorithm, digest),
                              data, when)
        self.sign(lines, when)
        return self

    def sign(self, lines, when):
        fields = {"Origin": "Example", "Label": "Example", "Suite": self.suite,
                  "Codename": self.suite, "Date": stamp(when)}
        if not self.flat:
            fields.update({"Architectures": " ".join(self.architectures),
                           "Components": " ".join(self.components)})
        if self.by_hash:
            fields["Acquire-By-Hash"] = "yes"
        fields.update(self.fields)
        text = "".join(f"{name}: {value}\n" for name, value in fields.items() if value is not None)
        text += "".join(f"{algorithm}:\n" + "\n".join(rows) + "\n"
                        for algorithm, rows in lines.items())
        release = os.path.join(self.base, "Release")
        write(release, self.style(text.encode()), when)
        if "InRelease" in self.signatures:
            self.gpg.clearsign(release, os.path.join(self.base, "InRelease"))
        if "Release.gpg" in self.signatures:
            self.gpg.detach(release, release + ".gpg")
        else:
            os.unlink(release)
