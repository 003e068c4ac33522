# SPDX-License-Identifier: Apache-2.0
"""The program under test: stores, their configuration, syncs and servers."""

import json
import os
import signal
import subprocess
import time
import urllib.error
import urllib.request

from harness.sandbox import Skip, clean_environment, end, free_port

PATIENCE = 120  # seconds that anything may take


class Failed(Exception):
    """A program did what it should not."""


def program():
    """Return the path of silica-reservoir."""
    folder = os.environ.get("SILICA_BIN_DIR")
    if not folder:
        here = os.path.dirname(os.path.abspath(__file__))
        folder = os.path.join(here, "..", "..", "..", "build", "dev", "bin")
    path = os.path.abspath(os.path.join(folder, "silica-reservoir"))
    if not os.access(path, os.X_OK):
        raise Skip(f"{path} is not built")
    return path


def get(url, headers=None, method="GET"):
    """Return (status, headers, body); an error status is an answer too."""
    request = urllib.request.Request(url, headers=headers or {}, method=method)
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with opener.open(request, timeout=PATIENCE) as answer:
            return answer.status, answer.headers, answer.read()
    except urllib.error.HTTPError as answer:
        return answer.code, answer.headers, answer.read()


def wait(what, condition, patience=PATIENCE, step=0.02):
    """Wait for a condition and return how long it took."""
    start = time.monotonic()
    while not condition():
        if time.monotonic() - start > patience:
            raise Failed(f"waited {patience} s for {what}")
        time.sleep(step)
    return time.monotonic() - start


def answers(url):
    try:
        return get(url)[0] == 200
    except OSError:
        return False


def pypi(name, upstream, projects, **options):
    """Return a repository of the configuration."""
    row = {"name": name, "ecosystem": "pypi"}
    if upstream:
        row["upstream"] = upstream
    row["pypi"] = {"projects": projects, **options}
    return row


def apt(name, upstream, keyring, **options):
    row = {"name": name, "ecosystem": "apt"}
    if upstream:
        row["upstream"] = upstream
    row["apt"] = {"suites": ["stable"], "architectures": ["amd64"], **options}
    if keyring:
        row["apt"]["keyring"] = keyring
    return row


class Reservoir:
    """A store with its configuration, and at most one server and one watcher."""

    def __init__(self, folder, name):
        self.folder, self.name = folder, name
        self.store = folder.join(name)
        self.log = f"{name}.log"
        self.access_log = folder.join(f"{name}.access")
        self.env = clean_environment(folder.path)
        self.server = None
        self.port = None

    def run(self, command, *words, status=0, timeout=PATIENCE):
        """Run a command on the store to its end; return what it prints."""
        return self.program(command, "--store", self.store, *words, status=status,
                            timeout=timeout)

    def program(self, *words, status=0, timeout=PATIENCE):
        line = [program(), *words]
        done = subprocess.run(line, env=self.env, capture_output=True, text=True, timeout=timeout,
                              stdin=subprocess.DEVNULL, check=False)
        with open(self.folder.join(self.log), "a", encoding="utf-8") as log:
            log.write(f"$ {' '.join(line)}\n{done.stdout}{done.stderr}")
        if status is not None and done.returncode != status:
            raise Failed(f"{' '.join(line)}\n{done.stdout}{done.stderr}"
                         f"exit status {done.returncode}, not {status}")
        return done.stdout + done.stderr

    def hash_password(self, password):
        """Return what a configuration holds of a password."""
        done = subprocess.run([program(), "hash-password"], input=password + "\n", text=True,
                              env=self.env, capture_output=True, timeout=PATIENCE, check=False)
        if done.returncode != 0:
            raise Failed(done.stdout + done.stderr)
        return done.stdout.strip()

    def init(self, *words):
        return self.run("init", *words)

    def configure(self, repositories=(), **sections):
        """Write the configuration; JSON is YAML."""
        serve = {"accessLog": self.access_log, **sections.pop("serve", {})}
        document = {"repositories": list(repositories), "serve": serve, **sections}
        document.setdefault("sync", {})
        document["sync"].setdefault("keepFree", "1Mi")
        path = os.path.join(self.store, "reservoir.yaml")
        with open(path, "w", encoding="utf-8") as file:
            json.dump(document, file, indent=1)

    def sync(self, *words, status=0, timeout=PATIENCE):
        return self.run("sync", *words, status=status, timeout=timeout)

    def status(self):
        return json.loads(self.run("status", "--json"))

    def generation(self):
        """Return the number of the generation that clients get."""
        with open(os.path.join(self.store, "current"), encoding="ascii") as file:
            return json.loads(file.readline())["number"]

    def serve(self, *words):
        """Start a server and wait until it is ready."""
        if self.port is None:
            self.port = free_port()
        line = [program(), "serve", "--store", self.store, "--listen", f"127.0.0.1:{self.port}",
                *words]
        self.server = self.folder.start(line, log=self.log, env=self.env)

        def ready():
            if self.server.poll() is not None:
                raise Failed(f"the server ended with {self.server.returncode}:\n{self.tail()}")
            return answers(f"{self.url}/readyz")

        return wait("the server", ready)

    def watch(self, *words):
        return self.folder.start([program(), "watch", "--store", self.store, *words],
                                 log=self.log, env=self.env)

    @property
    def url(self):
        return f"http://127.0.0.1:{self.port}"

    def stop(self):
        """End the server as an administrator does, and look at how it went."""
        status = end(self.server, signal.SIGTERM)
        if status != 0:
            raise Failed(f"the server ended with {status}:\n{self.tail()}")
        self.server = None

    def tail(self, lines=30):
        with open(self.folder.join(self.log), encoding="utf-8", errors="replace") as file:
            return "".join(file.readlines()[-lines:])

    def accessed(self, *words):
        """Return the lines of the access log with all of the words, once there is one."""
        def lines():
            try:
                with open(self.access_log, encoding="utf-8", errors="replace") as file:
                    return [line for line in file if all(word in line for word in words)]
            except FileNotFoundError:
                return []

        wait(f"{words} in the access log", lines, patience=10)
        return lines()
