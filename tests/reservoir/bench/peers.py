# SPDX-License-Identifier: Apache-2.0
"""Servers of Python packages that answer beside the reservoir."""

import base64
import json
import os
import subprocess
import urllib.parse
import urllib.request

from bench import tools
from harness.reservoir import get

ACCEPT = ("application/vnd.pypi.simple.v1+json, application/vnd.pypi.simple.v1+html; q=0.1, "
          "text/html; q=0.01")
KIND = "application/vnd.pypi.simple.v1+json"
FILE = "payload-1.0-py3-none-any.whl"
SLOW_CONNECTIONS = 8


class Server:
    """A server of the same pages."""

    def __init__(self, name, url, file, *, sizes=(), slow=False, pid=None):
        self.name, self.url, self.file = name, url, file
        self.sizes = sizes  # of the pages that it is asked for; all when there are none
        self.slow = slow    # gets fewer requests at a time, and errors count as slowness
        self.pid = pid      # whose CPU time is told, with its children's

    def page(self, project):
        return f"{self.url}/{project}/"


def pinned(*words):
    return ["taskset", "-c", ",".join(map(str, tools.cpus()[1])), *words]


def pin(pid):
    """Let all threads of a process run where the servers do."""
    subprocess.run(["taskset", "-a", "-p", "-c", ",".join(map(str, tools.cpus()[1])), str(pid)],
                   check=True, capture_output=True)


def wait_for(name, child, url):
    def ready():
        if child.poll() is not None:
            raise RuntimeError(f"{name} has ended")
        return tools.answers(url)

    tools.wait(name, ready)


def file_of(simple, project="payload"):
    """Return the URL of a project's only file."""
    page = f"{simple}/{project}/"
    files = json.loads(get(page, {"Accept": KIND})[2])["files"]
    return urllib.parse.urljoin(page, files[0]["url"])


def pypiserver(world, _hub, programs):
    root = world.folder("packages")
    for name, data in world.index.data.items():
        if name.endswith(".whl"):
            world.write(f"{root}/{os.path.basename(name)}", data)
    port = tools.sandbox.free_port()
    child = world.start(pinned(f"{programs}/pypi-server", "run", "-p", str(port), "-i",
                               "127.0.0.1", "--backend", "cached-dir", root),
                        log="pypiserver.log")
    url = f"http://127.0.0.1:{port}"
    wait_for("pypiserver", child, f"{url}/simple/small/")
    return Server("pypiserver", f"{url}/simple", f"{url}/packages/{FILE}", sizes=("small",),
                  slow=True)


class Devpi:
    """devpi-server without its default index, asked as its own client asks it."""

    PASSWORD = "of-a-benchmark"

    def __init__(self, world, programs):
        root = world.folder("devpi")
        subprocess.run([f"{programs}/devpi-init", "--serverdir", root, "--no-root-pypi",
                        "--root-passwd", self.PASSWORD], check=True, capture_output=True)
        port = tools.sandbox.free_port()
        self.url = f"http://127.0.0.1:{port}"
        child = world.start(pinned(f"{programs}/devpi-server", "--serverdir", root, "--port",
                                   str(port)), log="devpi.log")
        wait_for("devpi-server", child, f"{self.url}/+api")
        self.token = None
        answer = self.ask("POST", "/+login", user="root", password=self.PASSWORD)
        self.token = answer["result"]["password"]

    def ask(self, method, path, **what):
        headers = {"Content-Type": "application/json", "Accept": "application/json"}
        if self.token:
            word = base64.b64encode(f"root:{self.token}".encode()).decode()
            headers["X-Devpi-Auth"] = word
        request = urllib.request.Request(self.url + path, json.dumps(what).encode(), headers,
                                         method=method)
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        with opener.open(request, timeout=60) as answer:
            return json.load(answer)


def devpi(world, hub, programs):
    """Return devpi-server as a cache of the reservoir, with what is asked for fetched."""
    made = Devpi(world, programs)
    made.ask("PUT", "/root/cache", type="mirror", volatile=False, mirror_cache_expiry=86400,
             mirror_url=f"{hub.url}/pypi/simple/")
    simple = f"{made.url}/root/cache/+simple"
    return Server("devpi, cache", simple, file_of(simple), sizes=("small", "medium"), slow=True)


def own_cache(world, hub, _programs):
    """Return another reservoir, as a cache of the first."""
    cache = world.reservoir("cache")
    row = {"name": "pypi", "ecosystem": "pypi", "mode": "cache",
           "upstream": f"{hub.url}/pypi/simple/", "cacheFor": "24h"}
    cache.configure([row], serve={"threads": len(tools.cpus()[1])})
    cache.serve()
    pin(cache.server.pid)
    simple = f"{cache.url}/pypi/simple"
    return Server("reservoir, cache", simple, file_of(simple), pid=cache.server.pid)
