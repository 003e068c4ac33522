# SPDX-License-Identifier: Apache-2.0
"""A few packages of the registries that this machine is configured with.

Nothing is fetched but the packages named here and what they need.
"""

from harness import registries
from harness.world import check


def test_machine_pypi(world):
    """Sync from the machine's own index, and install where there is no route out."""
    found = registries.synced(world, "pypi", registries.PROJECTS)
    out = found.client("pip")
    for project in registries.PROJECTS:
        check(f"installed {project}" in out, out)


def test_machine_apt(world):
    """Sync from the machine's own archive, and download where there is no route out."""
    found = registries.synced(world, "apt", registries.PACKAGES)
    out = found.client("apt")
    for package in registries.PACKAGES:
        check(f"downloaded {package}" in out, out)


test_machine_pypi.outside = test_machine_apt.outside = True
