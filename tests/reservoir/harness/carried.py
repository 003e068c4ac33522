# SPDX-License-Identifier: Apache-2.0
"""A hub with an upstream and a site without one, and what is carried between them."""

import copy
import glob
import os
import re

from harness.reservoir import Failed, Reservoir


class Pair:
    def __init__(self, folder, rows):
        self.folder = folder
        self.hub = Reservoir(folder, "hub")
        self.site = Reservoir(folder, "site")
        self.key = folder.join("hub.key")
        self.hub.init()
        self.hub.program("keygen", self.key)
        self.site.init()
        self.rows = rows
        self.exports = 0
        self.last = None       # generation that the site has
        self.bundle_bytes = 0  # of the last export
        self.configure_hub(rows)
        self.configure_site()

    def configure_hub(self, rows):
        self.rows = rows
        self.hub.configure(rows, bundles={"secretKeys": [self.key]})

    def configure_site(self, change=None):
        """Give the site what the hub has, without upstreams."""
        rows = copy.deepcopy(self.rows)
        for row in rows:
            row.pop("upstream", None)
            if change:
                change(row)
        self.site.configure(rows, bundles={"hubs": [{"id": self.hub.status()["store"],
                                                     "keys": [public_key(self.key)]}]})

    def export(self):
        """Write a bundle of what is new since the last; return its files, manifest first."""
        self.exports += 1
        directory = self.folder.folder(f"bundle-{self.exports}")
        since = ["--since", str(self.last)] if self.last else []
        self.hub.run("export", "--output", directory, *since)
        self.last = self.hub.generation()
        paths = glob.glob(os.path.join(directory, "*"))
        self.bundle_bytes = sum(os.path.getsize(path) for path in paths)
        manifests = [path for path in paths if path.endswith(".manifest")]
        if len(manifests) != 1:
            raise Failed(f"an export wrote {paths}")
        return manifests + [path for path in paths if path not in manifests]

    def carry(self):
        """Export, and import at the site."""
        return self.site.run("import", self.export()[0])


def public_key(secret):
    """Return the public key that lies beside a secret one, as minisign writes it."""
    for path in (secret + ".pub", re.sub(r"\.key$", ".pub", secret)):
        if os.path.exists(path):
            with open(path, encoding="ascii") as file:
                return file.read().splitlines()[-1].strip()
    raise Failed(f"there is no public key beside {secret}")
