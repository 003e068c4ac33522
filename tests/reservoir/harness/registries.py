# SPDX-License-Identifier: Apache-2.0
"""The registries that this machine is configured with, as upstreams of a few packages.

No host is named here: `init --from-host` reads what apt and pip are told, and what pip takes
without being told is asked of pip.
"""

import os
import re
import subprocess
import sys
import urllib.request

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))

from harness import clients, reservoir, sandbox  # noqa: E402 (needs the path above)

PROJECTS = ("requests",)
PACKAGES = ("hello", "tree")
FILES_MAX = 30  # that anything here may fetch of packages
PATIENCE = 300


class Found:
    """A store that was synced from the machine's own registry."""

    def __init__(self, hub, key, names):
        self.hub, self.key, self.names = hub, key, names

    def client(self, kind):
        """Install where there is no route out; return what that prints."""
        words = sandbox.unshare_command()
        if words is None:
            raise sandbox.Skip("no network of its own can be had here")
        env = {**os.environ, sandbox.INSIDE: "1"}
        done = subprocess.run([*words, sys.executable, "-B", os.path.abspath(__file__), kind,
                               self.hub.store, self.key or "-", *self.names], env=env, text=True,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False,
                              timeout=PATIENCE)
        if done.returncode != 0:
            raise reservoir.Failed(done.stdout)
        return done.stdout


def rows_of_host(folder):
    """Return [(ecosystem, upstream, keyring)] of what init finds on this machine."""
    host = reservoir.Reservoir(folder, "host")
    host.env.update({name: value for name, value in os.environ.items()
                     if name.startswith(("PIP_", "UV_"))})
    host.run("init", "--from-host", status=None)
    path = os.path.join(host.store, "reservoir.yaml")
    if not os.path.exists(path):
        return []  # a machine that is told of no registry
    with open(path, encoding="utf-8") as file:
        text = file.read()
    found = []
    for item in re.split(r"^ *- +(?=name:)", text, flags=re.MULTILINE)[1:]:
        def value(key, item=item):
            match = re.search(rf"""^\s*{key}:\s*["']?([^"'\n#]+?)["']?\s*(?:#.*)?$""", item,
                              re.MULTILINE)
            return match[1] if match else None
        found.append((value("ecosystem"), value("upstream"), value("keyring")))
    return found


def reachable(url):
    try:
        with urllib.request.urlopen(url, timeout=10):
            return True
    except OSError:
        return False


def default_index():
    """Return the index that pip takes when it is not told of any."""
    done = subprocess.run([sys.executable, "-c", "from pip._internal.models.index import PyPI;"
                           "print(PyPI.simple_url)"], capture_output=True, text=True, check=False)
    return done.stdout.strip() or None


def pypi_row(folder, projects):
    urls = [row[1] for row in rows_of_host(folder) if row[0] == "pypi" and row[1]]
    url = urls[0] if urls else default_index()
    if not url:
        raise sandbox.Skip("there is no pip here that knows an index")
    if not reachable(url.rstrip("/") + f"/{projects[0]}/"):
        raise sandbox.Skip("the machine's Python package index does not answer")
    python = ".".join(map(str, sys.version_info[:2]))
    machine = os.uname().machine
    return reservoir.pypi("pypi", url, list(projects), keepNewest=1, sdists=False, environments=[
        {"python": python, "platform": f"manylinux_2_28_{machine}"}])


def apt_row(folder, packages, key):
    with open("/etc/os-release", encoding="utf-8") as file:
        codename = re.search(r"^VERSION_CODENAME=(\w+)", file.read(), re.MULTILINE)
    rows = [row for row in rows_of_host(folder) if row[0] == "apt" and row[2]]
    if not codename or not rows:
        raise sandbox.Skip("the machine has no apt sources with a keyring")
    for _, url, keyring in rows:
        if reachable(f"{url.rstrip('/')}/dists/{codename[1]}/InRelease"):
            return reservoir.apt(
                "apt", url, keyring, suites=[codename[1]], components=["main"], dep11=False,
                cnf=False, languages=[], publish="curated", packages=list(packages),
                recommends=False, signingKey=key.secret)
    raise sandbox.Skip("the machine's apt archive does not answer")


def synced(world, ecosystem, names):
    """Return a store with a few packages of the machine's own registry."""
    hub = world.reservoir()
    hub.env.update({name: value for name, value in os.environ.items()
                    if name.lower().endswith("_proxy") or name.startswith(("SSL_", "CURL_"))})
    key = None
    if ecosystem == "pypi":
        row = pypi_row(world, names)
    else:
        key = world.gpg("Site of a test")
        row = apt_row(world, names, key)
    hub.configure([row])
    out = hub.run("sync", timeout=PATIENCE)
    print(out)
    return Found(hub, key and key.public, names)


def main():
    """Serve a store and install from it, in a network of its own."""
    kind, store, keyring, *names = sys.argv[1:]
    sandbox.loopback_up()
    if sandbox.has_route_out():
        raise SystemExit("there is a route out")
    with sandbox.Folder("inside") as folder:
        hub = reservoir.Reservoir(folder, "inside")
        hub.store = store
        hub.serve()
        if kind == "pip":
            pip = clients.Pip(folder)
            print(pip.install(hub.url + "/pypi/simple/", *names))
            for name in names:
                subprocess.run([sys.executable, "-c", f"import {name}; print('installed {name}')"],
                               env={**pip.env, "PYTHONPATH": pip.target}, check=True)
            return
        apt = clients.Apt(folder)
        with open("/etc/os-release", encoding="utf-8") as file:
            codename = re.search(r"^VERSION_CODENAME=(\w+)", file.read(), re.MULTILINE)[1]
        apt.source(hub.url + "/apt", keyring, suite=codename)
        print(apt.update())
        print(apt.run("apt-get", "install", "-y", "--no-install-recommends", "--download-only",
                      *names))
        archives = os.listdir(os.path.join(apt.root, "var/cache/apt/archives"))
        for name in names:
            if any(archive.startswith(name + "_") for archive in archives):
                print(f"downloaded {name}")
        return


if __name__ == "__main__":
    main()
