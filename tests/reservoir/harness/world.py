# SPDX-License-Identifier: Apache-2.0
"""What most tests begin with: an upstream, a hub that has synced it, clients."""

import os

from harness import archive, clients, reservoir
from harness.reservoir import Failed
from harness.sandbox import Folder
from harness.upstream import Upstream


def check(condition, what):
    if not condition:
        raise Failed(what)


class World(Folder):
    """The folder of one test."""

    def __init__(self, name, keep=False):
        super().__init__(name, keep)
        self.index = archive.PypiIndex()
        self.upstream = Upstream(self.index, self.folder("upstream"))
        self.at_end.append(self.upstream.close)
        self._gpg = {}

    def gpg(self, name="Archive of a test"):
        if name not in self._gpg:
            self._gpg[name] = archive.Gpg(self, name)
        return self._gpg[name]

    def archive(self, **options):
        """Return an empty APT archive that the upstream serves."""
        return archive.AptArchive(self.upstream.apt, self.gpg(), **options)

    def reservoir(self, name="hub"):
        """Return a store that is initialised."""
        made = reservoir.Reservoir(self, name)
        made.init()
        return made

    def pypi_row(self, projects=("hello-world",), **options):
        return reservoir.pypi("pypi", self.upstream.pypi_url, list(projects), **options)

    def apt_row(self, **options):
        return reservoir.apt("apt", self.upstream.apt_url, self.gpg().public, **options)

    def curated_row(self, packages=(), **options):
        """Return an APT repository that the site signs."""
        if packages:
            options["packages"] = list(packages)
        return self.apt_row(publish="curated", signingKey=self.gpg("Site of a test").secret,
                            **options)

    def serving(self, *rows, name="hub", **sections):
        """Return a reservoir that has synced the repositories and serves them."""
        made = self.reservoir(name)
        made.configure(rows, **sections)
        made.sync()
        made.serve()
        return made

    def pip(self, name="pip"):
        return clients.Pip(self, name)

    def apt(self, name="apt"):
        return clients.Apt(self, name)

    def tail(self):
        """Return the ends of all logs."""
        text = ""
        for name in sorted(os.listdir(self.path)):
            if name.endswith((".log", ".access")):
                with open(os.path.join(self.path, name), encoding="utf-8",
                          errors="replace") as file:
                    text += f"--- {name}\n" + "".join(
                        f"{line.rstrip()[:200]}\n" for line in file.readlines()[-40:])
        return text


def hello(index):
    """Add a package, what it needs, and one that nobody needs."""
    index.add("Hello.World", "1.0", requires=["hello-lib>=1", "only-windows; os_name == 'nt'"],
              sdist=True)
    index.add("hello-lib", "1.5", payload=200_000)
    index.add("only-windows", "3.0")
    index.add("unrelated", "1.0")


def hello_debs(made):
    made.add("hello", "1.0", depends="libhello (>= 1)")
    made.add("libhello", "1.2", architecture="amd64", payload=100_000)
    made.add("unrelated", "1.0")
    made.publish()
    return made
