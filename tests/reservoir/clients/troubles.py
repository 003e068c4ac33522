# SPDX-License-Identifier: Apache-2.0
"""A server whose disk, descriptors or clock fail, and two that write at once.

Each test_X is reservoir.clients.X.  What fails passes: the server lives through it, sends
nothing wrong meanwhile, and all is well when the fault is gone.
"""

import http.client
import os
import resource
import shutil
import signal
import socket
import subprocess

from harness import carried, reservoir
from harness.faults import SAID, Faults, injector
from harness.reservoir import Failed, get, program, wait
from harness.sandbox import Skip, free_port
from harness.world import check, hello, hello_debs

PAGE = "/pypi/simple/hello-lib/"
SMALL = "/pypi/packages/hello-lib/hello_lib-1.5-py3-none-any.whl"
LARGE = "/pypi/packages/large/large-1.0-py3-none-any.whl"
LARGE_BYTES = 3_000_000  # more than is read before it is sent


class Failing:
    """A server below the program that answers its calls with errors, once it is told to."""

    def __init__(self, world, made, below, fault, *words):
        made.port = made.port or free_port()
        line = [injector(), "--below", below, "--fail", fault, "--asleep", *words, program(),
                "serve", "--store", made.store, "--listen", f"127.0.0.1:{made.port}"]
        self.made = made
        self.child = world.start(line, log=made.log, env=made.env)
        world.parents.add(self.child)
        wait("the server", self.is_ready)

    def is_ready(self):
        if self.child.poll() == 77:
            raise Skip("there is no filter of system calls here")
        return reservoir.answers(self.made.url + "/readyz")

    def toggle(self):
        self.child.send_signal(signal.SIGUSR1)

    def lives(self):
        check(self.child.poll() is None, "the server has ended")
        check(get(self.made.url + "/healthz")[0] == 200, "it does not answer")


def fetch(made, path):
    """Return (status, body), the body None when the connection ended before it did."""
    connection = http.client.HTTPConnection("127.0.0.1", made.port, timeout=reservoir.PATIENCE)
    try:
        connection.request("GET", path)
        answer = connection.getresponse()
        return answer.status, answer.read()
    except http.client.IncompleteRead:
        return 200, None
    except (http.client.HTTPException, ConnectionError):
        return 0, None
    finally:
        connection.close()


def lines(made, text):
    """Return the lines of the log that have a text."""
    with open(made.folder.join(made.log), encoding="utf-8", errors="replace") as file:
        return [line for line in file if text in line]


def synced(world, projects=("hello-world", "large")):
    hello(world.index)
    world.index.add("large", "1.0", payload=LARGE_BYTES)
    made = world.reservoir()
    made.configure([world.pypi_row(projects)])
    made.sync()
    return made


def test_reads_that_fail_send_nothing_wrong(world):
    made = synced(world)
    right = {}
    made.serve()
    for path in (PAGE, SMALL, LARGE):
        right[path] = fetch(made, path)
        check(right[path][0] == 200 and right[path][1], f"{path}: {right[path][0]}")
    made.stop()
    server = Failing(world, made, os.path.join(made.store, "objects"), "1+=EIO", "--reads")
    server.toggle()
    for _ in range(20):
        for path in (PAGE, SMALL, LARGE):
            status, body = fetch(made, path)
            check(status == 503 or path == LARGE and body is None,
                  f"{path}: {status} {body}")
    server.lives()
    told = lines(made, SAID["EIO"]) + lines(made, "cannot be read to its end")
    check(told and len(told) < 20, f"{len(told)} lines for 60 failures")
    server.toggle()
    for path, answer in right.items():
        check(fetch(made, path) == answer, f"{path} is not sent when the disk is well again")


def test_few_descriptors_are_enough(world):
    """No more connections are taken than there are descriptors to answer with."""
    made = synced(world)
    made.port = free_port()
    server = world.start(["sh", "-c", 'ulimit -n 96; exec "$@"', "sh", program(), "serve",
                          "--store", made.store, "--listen", f"127.0.0.1:{made.port}"],
                         log=made.log, env=made.env)
    wait("the server", lambda: reservoir.answers(made.url + "/readyz"))
    first = http.client.HTTPConnection("127.0.0.1", made.port, timeout=reservoir.PATIENCE)
    first.request("GET", PAGE)
    first.getresponse().read()
    waiting = [socket.create_connection(("127.0.0.1", made.port)) for _ in range(90)]
    for path in (PAGE, SMALL, LARGE):
        first.request("GET", path, headers={"Range": "bytes=1-9"})
        answer = first.getresponse()
        check((answer.status, len(answer.read())) == (206, 9), f"{path}: {answer.status}")
    for taken in (first, *waiting):
        taken.close()
    wait("a connection", lambda: fetch(made, LARGE)[0] == 200)
    check(server.poll() is None, "the server has ended")
    check(lines(made, "lowered"), "it is not told")


def full_cache(world, error):
    hello(world.index)
    made = world.reservoir()
    made.configure([{"name": "pypi", "ecosystem": "pypi", "mode": "cache", "cacheFor": "1h",
                     "upstream": world.upstream.pypi_url}])
    cache = os.path.join(made.store, "cache")
    server = Failing(world, made, cache, f"1+={error}")
    check(fetch(made, PAGE)[0] == 200, "it does not cache")
    server.toggle()
    for _ in range(3):
        status, body = fetch(made, SMALL)
        check(status == 503 and b"the disk of the cache" in (body or b""), f"{status} {body}")
        check(fetch(made, PAGE)[0] == 200, "what it has is not served")
    check(len(lines(made, "the cache cannot be written")) == 1, "it is not told, or not once")
    check(b'write_failures_total{file="cache"} 0' not in fetch(made, "/metrics")[1],
          "it is not counted")
    server.toggle()
    wait("room", lambda: fetch(made, SMALL)[0] == 200, patience=30, step=0.2)
    server.lives()
    world.upstream.close()
    check(fetch(made, SMALL)[0] == 200, "it is not kept")
    reservoir.end(server.child, signal.SIGTERM)
    out = made.program("verify", "--store", cache)
    check("all as it should be" in out, out)
    left = [name for name in os.listdir(os.path.join(cache, "staging"))]
    check(not left, f"{left} are left over")


def test_a_cache_on_a_full_disk(world):
    full_cache(world, "ENOSPC")


def test_a_cache_beyond_its_quota(world):
    full_cache(world, "EDQUOT")


def test_a_cache_that_becomes_read_only(world):
    full_cache(world, "EROFS")


def test_a_full_disk_of_the_access_log(world):
    """Lines are lost, and told of once; those that come later are whole."""
    made = synced(world)
    folder = world.folder("log")
    made.access_log = os.path.join(folder, "access")
    made.configure([world.pypi_row(("hello-world", "large"))])
    server = Failing(world, made, folder, "1+=ENOSPC")
    fetch(made, PAGE + "?before")
    made.accessed("?before")
    server.toggle()
    for i in range(5):
        check(fetch(made, f"{PAGE}?lost{i}")[0] == 200, "it does not answer")
    wait("the log to fail", lambda: lines(made, "the access log cannot be written"))
    server.toggle()
    wait("the log", lambda: fetch(made, PAGE + "?after") and made.accessed("?after"))
    with open(made.access_log, encoding="utf-8") as file:
        written = [line for line in file if line.strip()]
    check(all(line.startswith("127.0.0.1 - ") for line in written), "".join(written))
    check(len(lines(made, "the access log cannot be written")) == 1, "it is told more than once")
    server.lives()


def test_a_cache_that_another_has_is_waited_for(world):
    """As when a server is replaced: the new one serves the cache once the old one is gone."""
    hello(world.index)
    row = {"name": "pypi", "ecosystem": "pypi", "mode": "cache",
           "upstream": world.upstream.pypi_url}
    made = world.reservoir()
    made.configure([row])
    made.serve()
    check(fetch(made, PAGE)[0] == 200, "it does not cache")
    first, made.port = made.server, free_port()
    made.serve()
    status, body = fetch(made, PAGE)
    check(status == 503 and b"cache" in body, f"{status} {body}")
    told = lines(made, "repositories that cache are not served")
    check(len(told) == 1 and f"process {first.pid} on " in told[0], told)
    reservoir.end(first, signal.SIGTERM)
    wait("the cache", lambda: fetch(made, PAGE)[0] == 200, patience=30, step=0.2)


def test_two_writers(world):
    """The second one refuses, and names the first; readers and gc go on."""
    hello(world.index)
    found = carried.Pair(world, [world.pypi_row()])
    found.hub.sync()
    bundle = found.export()[0]
    made = found.hub
    world.index.add("hello-lib", "1.6", payload=400_000)
    faults = Faults(world, made, [made.store])
    _, _, calls = faults.run(["sync", "--store", made.store])
    number = next(number for number, line in enumerate(calls, 1) if "/staging/" in line)
    faults.restore()
    holder = faults.start(["sync", "--store", made.store], f"{number}+=HANG")
    for words in (["sync"], ["rollback", "0"], ["snapshot", "x"],
                  ["recall", "pypi/packages/hello-lib/*"], ["import", bundle]):
        said = made.run(*words, status=None)
        check(said.count("is being written by process") == 1 and " (sync), since " in said
              and socket.gethostname() in said, f"{words}: {said}")
    for words in (["gc"], ["verify"], ["status"], ["snapshot"]):
        made.run(*words)
    check(made.generation() == 1, "another one has published")
    # What is killed leaves no lock behind.
    children = subprocess.run(["pgrep", "-P", str(holder.pid)], capture_output=True, text=True,
                              check=True).stdout.split()
    for pid in children:
        os.kill(int(pid), signal.SIGKILL)
    reservoir.end(holder)
    made.sync()
    check(made.generation() == 2, "the next sync does not publish")
    check("all as it should be" in made.run("verify"), "something is damaged")


def test_faults_of_other_kinds(world):
    """What a quota, a read-only disk and a lack of descriptors say, at a few calls."""
    hello(world.index)
    made = world.reservoir()
    made.configure([world.pypi_row()])
    faults = Faults(world, made, [made.store])
    words = ["sync", "--store", made.store]
    _, _, calls = faults.run(words)
    for error in ("EDQUOT", "EROFS", "EMFILE"):
        for number in range(1, len(calls), len(calls) // 2):
            faults.restore()
            status, said, seen = faults.run(words, f"{number}+={error}")
            failed = [line for line in seen if "!" in line.split(" ")[1]]
            check(status in (1, 3) or not failed, f"{error} at {number}: {status} {said}")
            check(not failed or SAID[error] in said, f"{error} at {failed[:1]}: {said}")
            made.sync()
            check(made.generation() == 1, "it does not end well when the disk does")


def test_few_descriptors_for_commands(world):
    """Each ends well, or says what there is too little of."""
    hello(world.index)
    made = world.reservoir()
    made.configure([world.pypi_row()])
    faults = Faults(world, made, [made.store])
    for command in (["sync"], ["gc"], ["verify", "--repair"], ["snapshot"], ["status"]):
        for most in (8, 12, 16, 24):
            done = subprocess.run([program(), *command, "--store", made.store], text=True,
                                  preexec_fn=lambda most=most: resource.setrlimit(
                                      resource.RLIMIT_NOFILE, (most, most)),
                                  env=made.env, capture_output=True, check=False,
                                  timeout=reservoir.PATIENCE)
            said = done.stdout + done.stderr
            faults.judge(done.returncode, said, (1, 3))
            check(done.returncode == 0 or SAID["EMFILE"] in said or "descriptor" in said,
                  f"{command} with {most}: {done.returncode} {said}")
    made.sync()
    check("all as it should be" in made.run("verify"), "something is damaged")


def faked(made, offset, *words):
    """Run a command with the clock elsewhere."""
    if not shutil.which("faketime"):
        raise Skip("faketime is not installed")
    env = {**made.env, "ASAN_OPTIONS": "verify_asan_link_order=0:detect_leaks=0"}
    done = subprocess.run(["faketime", "-f", offset, program(), *words, "--store", made.store],
                          env=env, capture_output=True, text=True, check=False,
                          timeout=reservoir.PATIENCE)
    if done.returncode != 0:
        raise Failed(f"{words} at {offset}: {done.returncode}\n{done.stdout}{done.stderr}")


def test_apt_after_a_clock_that_was_ahead(world):
    """What was signed then, apt refuses until then: the next sync signs it anew."""
    hello_debs(world.archive())
    made = world.reservoir()
    made.configure([world.curated_row(["hello"])])
    faked(made, "+30d", "sync")
    made.serve()
    apt = world.apt()
    apt.source(made.url + "/apt", world.gpg("Site of a test").public)
    check("not valid yet" in apt.update(fails=True) or "future" in apt.update(fails=True),
          "apt takes what is of the future")
    made.sync()
    reservoir.wait("the generation", lambda: "generation 2" in fetch(made, "/readyz")[1].decode())
    apt.update()
    apt.install("hello")
    generation = made.generation()
    made.sync()
    check(made.generation() == generation, "it is made anew each time")


def test_a_clock_that_is_set_back_holds_nothing_up(world):
    """A day back: generations follow each other, and are collected by their number."""
    hello(world.index)
    made = world.reservoir()
    made.configure([world.pypi_row()])
    made.sync()
    world.index.add("hello-lib", "1.6", payload=1000)
    faked(made, "-1d", "sync")
    faked(made, "-1d", "snapshot", "yesterday")
    check(made.generation() == 2, "it does not publish")
    check("yesterday" in made.run("snapshot"), "there is no snapshot")
    faked(made, "-1d", "gc", "--keep", "1")
    faked(made, "-1d", "verify")
    check("all as it should be" in made.run("verify"), "something is damaged")
    made.sync()
    check(made.generation() == 2, "it publishes what has not changed")
