# SPDX-License-Identifier: Apache-2.0
"""The size of the image, where the tests have built one."""

import os

from harness import reservoir

BUDGET = 25_000_000


def measure(report):
    """Count the bytes of the files that `make test` leaves of its image."""
    root = os.path.join(os.path.dirname(reservoir.program()), "..", "..", "image",
                        "reservoir-root")
    if not os.path.isdir(root):
        report.target("T21: image <= 25 MB", None,
                      "image.reservoir.size builds and looks at it, as root")
        return
    size = sum(os.lstat(os.path.join(at, name)).st_size
               for at, _, names in os.walk(root) for name in names)
    report.target("T21: image <= 25 MB", size <= BUDGET, f"{size / 1e6:.1f} MB uncompressed")
