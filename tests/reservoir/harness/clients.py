# SPDX-License-Identifier: Apache-2.0
"""Real clients, each with a configuration and a state of its own."""

import glob
import importlib.util
import os
import re
import shutil
import subprocess
import sys
import tempfile

from harness.reservoir import Failed
from harness.sandbox import Skip, clean_environment

# Where get-clients puts what Debian does not have.
FETCHED = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "..", "build",
                       "reservoir-clients")


def fetched(pattern, by="get-clients"):
    found = glob.glob(os.path.join(os.environ.get("RESERVOIR_CLIENTS", FETCHED), pattern))
    if not found:
        raise Skip(f"there is no {pattern}; tests/reservoir/{by} fetches it")
    return os.path.abspath(found[0])


class Client:
    def __init__(self, folder, name):
        self.folder, self.name = folder, name
        self.home = folder.folder(name)
        self.env = clean_environment(self.home)

    def run(self, *words, fails=False, env=None, cwd=None, timeout=150):
        """Run a client to its end; return what it prints."""
        done = subprocess.run(words, env={**self.env, **(env or {})}, text=True, check=False,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=timeout,
                              stdin=subprocess.DEVNULL, cwd=cwd or self.home)
        with open(self.folder.join("clients.log"), "a", encoding="utf-8") as log:
            log.write(f"$ {' '.join(words)}\n{done.stdout}")
        if (done.returncode != 0) != fails or done.returncode == NOT_RUN:
            raise Failed(f"$ {' '.join(words)}\n{done.stdout}exit status {done.returncode}")
        return done.stdout

    def write(self, name, text):
        path = os.path.join(self.home, name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "w", encoding="utf-8") as file:
            file.write(text)
        os.chmod(path, 0o600)
        return path


class Pip(Client):
    """pip, and an environment that it installs into."""

    def __init__(self, folder, name="pip", program=None):
        super().__init__(folder, name)
        if not program and not importlib.util.find_spec("pip"):
            raise Skip("there is no pip (package python3-pip)")
        self.program = program or [sys.executable, "-m", "pip"]
        self.env.update(PIP_CONFIG_FILE="/dev/null", PIP_NO_INPUT="1", PIP_NO_CACHE_DIR="1",
                        PIP_DISABLE_PIP_VERSION_CHECK="1", PIP_RETRIES="1",
                        PIP_ROOT_USER_ACTION="ignore")
        self.target = os.path.join(self.home, "site")

    def pip(self, *words, **options):
        return self.run(*self.program, *words, **options)

    def install(self, index, *words, **options):
        where = ["--index-url", index] if index else []
        return self.pip("install", "--target", self.target, "--upgrade", *where, *words, **options)

    def version(self, module):
        """Return what an installed module says it is, or None."""
        done = subprocess.run([sys.executable, "-c", f"import {module}; print({module}.VERSION)"],
                              env={**self.env, "PYTHONPATH": self.target}, capture_output=True,
                              text=True, check=False)
        return done.stdout.strip() or None


def fetched_pip(folder, name, release, by="get-clients"):
    """Return a pip of another release than this machine's."""
    return Pip(folder, name, [sys.executable, fetched(f"pip-{release}/pip", by)])


def old_pip(folder):
    """Return a pip from before PEP 691, which reads HTML only."""
    return fetched_pip(folder, "old-pip", "21.3.1")


def new_pip(folder):
    """Return a pip that goes on with a broken download."""
    return fetched_pip(folder, "new-pip", "25.3")


class Uv(Client):
    def __init__(self, folder, name="uv"):
        super().__init__(folder, name)
        self.program = fetched("uv")
        self.env.update(UV_NO_CONFIG="1", UV_CACHE_DIR=os.path.join(self.home, "cache"),
                        UV_PYTHON_DOWNLOADS="never", UV_PYTHON=sys.executable)
        self.target = os.path.join(self.home, "site")

    def install(self, index, *words, **options):
        where = ["--index-url", index] if index else []
        return self.run(self.program, "pip", "install", "--target", self.target, *where, *words,
                        **options)

    version = Pip.version


IN_ROOT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "in-root")
NOT_RUN = 125  # exit status of that


def apt_root():
    """Return the root of another release whose apt is to be run, or None for the machine's."""
    release = os.environ.get("RESERVOIR_APT")
    return fetched(f"apt-{release}", f"get-apt {release}") if release else None


class Apt(Client):
    """apt with a root of its own: sources, state, cache, and what dpkg installs."""

    def __init__(self, folder, name="apt"):
        super().__init__(folder, name)
        self.release = apt_root()
        if not self.release and not shutil.which("apt-get"):
            raise Skip("there is no apt")
        self.root = os.path.join(self.home, "root")
        for path in ("etc/apt/apt.conf.d", "etc/apt/preferences.d", "etc/apt/sources.list.d",
                     "etc/apt/trusted.gpg.d", "etc/apt/auth.conf.d", "var/lib/apt/lists/partial",
                     "var/cache/apt/archives/partial", "var/lib/dpkg/info",
                     "var/lib/dpkg/updates", "var/lib/dpkg/triggers", "var/log/apt"):
            os.makedirs(os.path.join(self.root, path))
        with open(os.path.join(self.root, "var/lib/dpkg/status"), "w", encoding="ascii"):
            pass
        self.env["APT_CONFIG"] = self.write("apt.conf", f'''
Dir "{self.root}";
Dir::State::status "{self.root}/var/lib/dpkg/status";
Dir::Bin::dpkg "/usr/bin/dpkg";
APT::Architecture "amd64";
APT::Architectures {{ "amd64"; }};
APT::Sandbox::User "";
APT::Install-Recommends "true";
Acquire::Languages "en";
Acquire::Retries "0";
DPkg::Options {{ "--root={self.root}"; "--force-not-root"; "--force-bad-path";
    "--log={self.root}/var/log/dpkg.log"; }};
DPkg::Use-Pty "false";
''')

    def run(self, *words, **options):
        if self.release:
            words = ["unshare", "--mount", IN_ROOT, self.release, tempfile.gettempdir(), *words]
        return super().run(*words, **options)

    def source(self, url, keyring=None, suite="stable", components="main", options=""):
        """Set the one source."""
        option = f"signed-by={keyring} " if keyring else ""
        with open(os.path.join(self.root, "etc/apt/sources.list"), "w", encoding="utf-8") as file:
            file.write(f"deb [{option}{options}] {url} {suite} {components}\n")

    def update(self, fails=False, days=0):
        """Run `apt-get update`; what apt only warns of, or remarks, is a failure too."""
        words = ["apt-get", "update", "-o", "APT::Update::Error-Mode=any"]
        if days:
            if not self.release and not shutil.which("faketime"):
                raise Skip("faketime is not installed")
            words = ["faketime", "-f", f"+{days}d", *words]
        out = self.run(*words, fails=fails)
        if not fails and re.search("^[WN]: ", out, re.MULTILINE):
            raise Failed(f"apt is not content:\n{out}")
        return out

    def install(self, *names, fails=False):
        return self.run("apt-get", "install", "-y", *names, fails=fails)

    def installed(self):
        """Return {name: version} of what dpkg has installed."""
        out = self.run("dpkg-query", f"--admindir={self.root}/var/lib/dpkg", "-W", "-f",
                       "${db:Status-Status} ${Package} ${Version}\n")
        rows = [line.split() for line in out.splitlines()]
        return {row[1]: row[2] for row in rows if row[0] == "installed"}

    def version(self, name):
        """Return what the file of an installed package says."""
        with open(os.path.join(self.root, f"usr/share/{name}/version"), encoding="ascii") as file:
            return file.read().strip()
