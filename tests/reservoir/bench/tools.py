# SPDX-License-Identifier: Apache-2.0
"""Running programs for a measurement, and what is said of several runs."""

import os
import re
import resource
import shutil
import statistics
import subprocess
import sys
import time

from harness import sandbox
from harness.reservoir import answers, wait

RUNS = 5


def cpus():
    """Return the CPU of the load generator, and those of the servers."""
    every = sorted(os.sched_getaffinity(0))
    return every[-1], every[:-1] or every


class Series:
    """The runs of one measure with one program."""

    def __init__(self):
        self.values = []

    def add(self, value):
        self.values.append(value)

    @property
    def median(self):
        return statistics.median(self.values)

    def text(self, form):
        """Return the median and the spread."""
        if not self.values:
            return "-"
        if len(self.values) == 1:
            return form.format(self.median)
        return (f"{form.format(self.median)} ({form.format(min(self.values))}-"
                f"{form.format(max(self.values))})")


def most_memory(pid):
    """Return the most bytes that a process had resident since it was executed."""
    try:
        with open(f"/proc/{pid}/status", encoding="ascii") as file:
            return int(re.search(r"VmHWM:\s+(\d+)", file.read())[1]) * 1024
    except (OSError, TypeError):
        return 0


class Run:
    """One run of a program: its time, its CPU time and its memory."""

    def __init__(self, words, env=None, cwd=None, patience=600, allowed=(0,)):
        start = time.monotonic()
        self.memory = 0
        with open(os.path.join(cwd or "/tmp", ".bench-output"), "wb+") as out:
            child = subprocess.Popen(words, env=env, cwd=cwd, stdin=subprocess.DEVNULL, stdout=out,
                                     stderr=out)
            while True:
                # What wait4() says of memory counts this program too.
                self.memory = max(self.memory, most_memory(child.pid))
                pid, status, usage = os.wait4(child.pid, os.WNOHANG)
                if pid:
                    break
                if time.monotonic() > start + patience:
                    child.kill()
                time.sleep(0.005)
            self.seconds = time.monotonic() - start
            child.returncode = os.waitstatus_to_exitcode(status)
            out.seek(0)
            self.output = out.read().decode(errors="replace")
        self.cpu = usage.ru_utime + usage.ru_stime
        if child.returncode not in allowed:
            raise RuntimeError(f"{' '.join(words)}: exit status {child.returncode}\n"
                               f"{self.output[-3000:]}")


def has(*programs):
    return all(shutil.which(program) for program in programs)


def environment(folder, packages, report):
    """Return the programs of an environment with packages; those that cannot be had are noted.

    RESERVOIR_PEERS names one that is there already.
    """
    path = os.environ.get("RESERVOIR_PEERS")
    if path:
        return os.path.join(path, "bin")
    path = os.path.join(folder.path, "peers")
    subprocess.run([sys.executable, "-m", "venv", path], check=False, capture_output=True)
    for package in packages:
        try:
            subprocess.run([f"{path}/bin/pip", "install", "-q", package], check=True,
                           capture_output=True, timeout=300)
        except (OSError, subprocess.SubprocessError):
            report.note(f"{package} could not be installed.")
    return os.path.join(path, "bin")


def family(pid):
    """Return a process and its children."""
    children = subprocess.run(["ps", "-o", "pid=", "--ppid", str(pid)], capture_output=True,
                              text=True, check=False).stdout.split()
    return [str(pid), *children]


def cpu_time(pid):
    """Return the CPU seconds that a process and its children took so far."""
    ticks = 0
    for each in family(pid):
        with open(f"/proc/{each}/stat", encoding="utf-8") as file:
            user, system = file.read().rpartition(")")[2].split()[11:13]
            ticks += int(user) + int(system)
    return ticks / os.sysconf("SC_CLK_TCK")


def rss(pid):
    """Return the resident bytes of a process and its children."""
    total = 0
    for each in family(pid):
        try:
            with open(f"/proc/{each}/status", encoding="ascii") as file:
                total += int(re.search(r"VmRSS:\s+(\d+)", file.read())[1]) * 1024
        except (OSError, TypeError):
            pass
    return total


NGINX = """
daemon off; pid {dir}/nginx.pid; error_log {dir}/error.log; worker_processes {workers};
events {{ worker_connections 1024; }}
http {{
    client_body_temp_path {dir}/t1; proxy_temp_path {dir}/t2; fastcgi_temp_path {dir}/t3;
    uwsgi_temp_path {dir}/t4; scgi_temp_path {dir}/t5;
    types {{ text/html html; application/vnd.pypi.simple.v1+json json; }}
    default_type application/octet-stream;
    {http}
    server {{ listen 127.0.0.1:{port}; root {root}; {server} }}
}}
"""
# As a careful administrator sets it for files that rarely change.
TUNED = ("sendfile on; tcp_nopush on; keepalive_requests 1000000; gzip_static on; "
         "open_file_cache max=10000 inactive=10m; open_file_cache_valid 60s; "
         "open_file_cache_errors on; access_log {dir}/access.log combined buffer=64k flush=1s;")
# As bandersnatch's own configuration of nginx has it: no compression, no cache of open files.
PLAIN = ("sendfile on; keepalive_timeout 65; access_log {dir}/access.log combined; "
         "map $http_accept $suffix {{ default html; "
         "~*application/vnd\\.pypi\\.simple\\.v1\\+json json; }}")


class Nginx:
    def __init__(self, folder, root, http=TUNED, server="index index.html;", name="nginx"):
        self.folder = folder
        self.dir = folder.folder(name)
        self.port = sandbox.free_port()
        pinned = cpus()[1]
        text = NGINX.format(dir=self.dir, root=root, port=self.port, workers=len(pinned),
                            http=http.format(dir=self.dir), server=server)
        path = folder.write(f"{name}/nginx.conf", "user root;\n" * (os.getuid() == 0) + text)
        self.child = folder.start(["taskset", "-c", ",".join(map(str, pinned)), "nginx", "-p",
                                   self.dir, "-e", f"{self.dir}/error.log", "-c", path],
                                  log=f"{name}.log")
        folder.parents.add(self.child)
        wait("nginx", self.is_ready)

    def is_ready(self):
        try:
            return sandbox.socket.create_connection(("127.0.0.1", self.port), 1).close() is None
        except OSError:
            return False

    @property
    def url(self):
        return f"http://127.0.0.1:{self.port}"

    def requests(self):
        """Return how many requests there were."""
        time.sleep(1.3)  # the log is written once a second
        with open(os.path.join(self.dir, "access.log"), "rb") as file:
            return sum(1 for _ in file)

    def stop(self):
        sandbox.end(self.child, sandbox.signal.SIGTERM)


def write_index(folder, index, root):
    """Write a Python package index as files that nginx serves."""
    for path, data in index.data.items():
        folder.write(f"{root}/{path}", data)
    for name in index.projects:
        folder.write(f"{root}/simple/{name}/index.json", index.page_json(name))
    folder.write(f"{root}/simple/index.json", index.list_json())


class Load:
    """What wrk says of one load."""

    def __init__(self, url, headers=(), seconds=3, connections=32, script=None, errors=False):
        words = ["taskset", "-c", str(cpus()[0]), "wrk", "-t1", f"-c{connections}",
                 f"-d{seconds}s", "--latency"]
        for header in headers:
            words += ["-H", header]
        if script:
            words += ["-s", script]
        done = subprocess.run([*words, url], capture_output=True, text=True, check=False)
        out = done.stdout
        if done.returncode != 0 or "Requests/sec" not in out:
            raise RuntimeError(f"wrk {url}: {done.stderr}")
        self.rate = float(re.search(r"Requests/sec:\s+([\d.]+)", out)[1])
        self.answers = int(re.search(r"(\d+) requests in", out)[1])
        self.bytes = scaled(re.search(r"Transfer/sec:\s+(\S+)", out)[1])
        self.p99 = scaled(re.search(r"99%\s+(\S+)", out)[1]) * 1000
        self.errors = re.search(r"Socket errors.*|Non-2xx or 3xx.*", out)
        if self.errors and not errors:
            raise RuntimeError(f"{url}: {self.errors[0]}")


def scaled_series(series, factor=1):
    """Return a series in another unit."""
    made = Series()
    made.values = [value * factor for value in series.values]
    return made


def scaled(text):
    """Return a number of wrk: 1.5MB, 12.3ms, 4.2us."""
    match = re.fullmatch(r"([\d.]+)([A-Za-z]*)", text)
    if not match:
        return 0  # "-nan" of no answers
    value, unit = match.groups()
    factor = {"B": 1, "KB": 2**10, "MB": 2**20, "GB": 2**30, "us": 1e-6, "ms": 1e-3, "s": 1,
              "m": 60, "": 1}[unit]
    return float(value) * factor


def limit_files():
    """Let everything open as many files as it may."""
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


__all__ = ["RUNS", "Load", "Nginx", "PLAIN", "Run", "Series", "TUNED", "answers", "cpu_time",
           "cpus", "environment", "has", "limit_files", "rss", "sandbox", "wait"]
