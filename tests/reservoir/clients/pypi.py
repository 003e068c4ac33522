# SPDX-License-Identifier: Apache-2.0
"""pip and uv before a server.  Each test_X is the ctest reservoir.clients.X."""

import json
import os
import re
import signal
import socket
import threading
import urllib.parse

from harness import clients, reservoir
from harness.reservoir import get
from harness.world import check, hello

SIMPLE = "/pypi/simple/"


def serving(world, **options):
    hello(world.index)
    return world.serving(world.pypi_row(**options))


def test_pip_installs_with_dependencies(world):
    hub = serving(world)
    pip = world.pip()
    pip.install(hub.url + SIMPLE, "Hello_World")
    check(pip.version("hello_world") == "1.0", "Hello_World is not installed")
    check(pip.version("hello_lib") == "1.5", "what it depends on is not installed")
    check(pip.version("only_windows") is None, "a marker that is false was followed")
    hub.accessed("hello_lib-1.5-py3-none-any.whl.metadata", " 200 ")


def test_pip_cannot_have_what_is_not_here(world):
    hub = serving(world)
    out = world.pip().install(hub.url + SIMPLE, "unrelated", fails=True)
    check("No matching distribution" in out, out)


def test_old_pip_reads_html(world):
    hub = serving(world)
    pip = clients.old_pip(world)
    pip.install(hub.url + SIMPLE, "hello.world")
    check(pip.version("hello_lib") == "1.5", "what it depends on is not installed")


def test_pip_builds_from_source(world):
    hub = serving(world)
    pip = world.pip()
    pip.install(hub.url + SIMPLE, "--no-binary", "hello-world", "hello-world")
    check(pip.version("hello_world") == "1.0", "it is not installed")
    hub.accessed("hello_world-1.0.tar.gz", " 200 ")


def test_pip_downloads_source(world):
    hub = serving(world)
    pip = world.pip()
    pip.pip("download", "--no-deps", "--no-binary", ":all:", "--index-url", hub.url + SIMPLE,
            "-d", pip.target, "hello-world")
    check(os.listdir(pip.target) == ["hello_world-1.0.tar.gz"], os.listdir(pip.target))


def test_pip_downloads_for_windows(world):
    world.index.add("native", "2.0", tag="cp311-cp311-win_amd64")
    world.index.add("native", "2.0", tag="cp311-cp311-manylinux_2_17_x86_64")
    world.index.add("native", "2.0", tag="cp311-cp311-macosx_11_0_arm64")
    hub = world.serving(world.pypi_row(["native"], environments=[
        {"python": "3.11", "platform": "win_amd64"},
        {"python": "3.11", "platform": "manylinux_2_28_x86_64"}]))
    pip = world.pip()
    pip.pip("download", "--no-deps", "--only-binary", ":all:", "--platform", "win_amd64",
            "--python-version", "3.11", "--index-url", hub.url + SIMPLE, "-d", pip.target,
            "native")
    check(os.listdir(pip.target) == ["native-2.0-cp311-cp311-win_amd64.whl"],
          os.listdir(pip.target))
    page = get(hub.url + SIMPLE + "native/")[2].decode()
    check("manylinux" in page and "macosx" not in page, page)


def test_uv_installs_with_dependencies(world):
    hub = serving(world)
    uv = clients.Uv(world)
    uv.install(hub.url + SIMPLE, "Hello_World")
    check(uv.version("hello_world") == "1.0", "Hello_World is not installed")
    check(uv.version("hello_lib") == "1.5", "what it depends on is not installed")
    check(uv.version("only_windows") is None, "a marker that is false was followed")
    hub.accessed("hello_lib-1.5-py3-none-any.whl.metadata", " 200 ")


def test_uv_resolves_again_without_fetching(world):
    hub = serving(world)
    uv = clients.Uv(world)
    uv.install(hub.url + SIMPLE, "hello-world")
    uv.install(hub.url + SIMPLE, "--refresh", "--reinstall", "hello-world")
    hub.accessed(SIMPLE, " 304 ")


def test_pip_leaves_out_what_is_yanked(world):
    world.index.add("hello-lib", "1.0")
    world.index.add("hello-lib", "2.0")
    world.index.yank("hello-lib", "2.0", "eats <disks> & more")
    hub = world.serving(world.pypi_row(["hello-lib"]))
    pip = world.pip()
    pip.install(hub.url + SIMPLE, "hello-lib")
    check(pip.version("hello_lib") == "1.0", f"{pip.version('hello_lib')} is installed")
    out = pip.install(hub.url + SIMPLE, "hello-lib==2.0")
    check(pip.version("hello_lib") == "2.0", "what is asked for by its version is not installed")
    check("eats <disks> & more" in out, "pip does not say why it was yanked:\n" + out)


def test_old_pip_leaves_out_what_is_yanked(world):
    world.index.add("hello-lib", "1.0")
    world.index.add("hello-lib", "2.0")
    world.index.yank("hello-lib", "2.0", "eats <disks> & more")
    hub = world.serving(world.pypi_row(["hello-lib"]))
    pip = clients.old_pip(world)
    pip.install(hub.url + SIMPLE, "hello-lib")
    check(pip.version("hello_lib") == "1.0", f"{pip.version('hello_lib')} is installed")


def test_pip_follows_requires_python(world):
    world.index.add("hello-lib", "1.0", python=">=3.6")
    world.index.add("hello-lib", "2.0", python=">=4")
    hub = world.serving(world.pypi_row(["hello-lib"]))
    for pip in (world.pip(), clients.old_pip(world)):
        pip.install(hub.url + SIMPLE, "hello-lib")
        check(pip.version("hello_lib") == "1.0", f"{pip.version('hello_lib')} is installed")


def test_pip_sees_a_new_release(world):
    hub = serving(world)
    pip = world.pip()
    pip.install(hub.url + SIMPLE, "hello-lib")
    world.index.add("hello-lib", "1.6")
    hub.sync()

    def new():
        return b"hello_lib-1.6" in get(hub.url + SIMPLE + "hello-lib/")[2]

    reservoir.wait("the new release", new)
    pip.install(hub.url + SIMPLE, "hello-lib")
    check(pip.version("hello_lib") == "1.6", f"{pip.version('hello_lib')} is installed")


def test_pages_have_one_address(world):
    hub = serving(world)
    for path in ("/pypi/simple", "/pypi/simple/hello-lib", "/pypi/simple/Hello_Lib/",
                 "/pypi/simple//hello-lib/"):
        status, _, body = get(hub.url + path)
        check(status == 200 and b"hello" in body, f"{path}: {status}")
    hub.accessed("/pypi/simple/Hello_Lib/", " 301 ")


class Cutter:
    """A way to a server that breaks each connection once, after some bytes of a file."""

    def __init__(self, port, word, after):
        self.word, self.after, self.cuts = word, after, 0
        self.server_port = port
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        while True:
            client, _ = self.listener.accept()
            threading.Thread(target=self.carry, args=(client,), daemon=True).start()

    def carry(self, client):
        server = socket.create_connection(("127.0.0.1", self.server_port))
        state = {"left": None}

        def up():
            while data := client.recv(65536):
                if self.word in data and self.cuts == 0:
                    self.cuts += 1
                    state["left"] = self.after
                server.sendall(data)
            server.close()

        threading.Thread(target=up, daemon=True).start()
        try:
            while data := server.recv(4096):
                if state["left"] is not None:
                    data = data[:state["left"]]
                    state["left"] -= len(data)
                client.sendall(data)
                if state["left"] == 0:
                    break
        except OSError:
            pass
        for end in (client, server):
            try:
                end.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass
            end.close()


def test_pip_goes_on_with_a_broken_download(world):
    hub = serving(world)
    cutter = Cutter(hub.port, b"hello_lib-1.5-py3-none-any.whl HTTP", 100_000)
    pip = clients.new_pip(world)
    pip.install(f"http://127.0.0.1:{cutter.port}{SIMPLE}", "--resume-retries", "3", "hello-lib")
    check(cutter.cuts == 1, "the download was not broken")
    check(pip.version("hello_lib") == "1.5", "it is not installed")
    hub.accessed("hello_lib-1.5-py3-none-any.whl", " 206 ")


def users(world):
    """Return sections of a configuration with one user that may read, and one that may not."""
    hub = reservoir.Reservoir(world, "users")
    hashed = hub.hash_password("s3cret word")
    token = "0123456789abcdef-token"
    digest = __import__("hashlib").sha256(token.encode()).hexdigest()
    return {"users": [{"name": "reader", "password": hashed, "token": digest},
                      {"name": "stranger", "password": hashed}]}, token


def test_pip_logs_in(world):
    hello(world.index)
    serve, token = users(world)
    row = {**world.pypi_row(), "readers": ["reader"]}
    hub = world.serving(row, serve=serve)
    pip = world.pip()
    index = hub.url + SIMPLE
    pip.install(index, "hello-lib", fails=True)
    pip.write(".netrc", "machine 127.0.0.1 login stranger password \"s3cret word\"\n")
    pip.install(index, "hello-lib", fails=True)
    pip.write(".netrc", "machine 127.0.0.1 login reader password \"s3cret word\"\n")
    pip.install(index, "hello-lib")
    check(pip.version("hello_lib") == "1.5", "it is not installed")
    hub.accessed("reader", "hello_lib-1.5", " 200 ")
    by_token = world.pip("pip-token")
    by_token.install(index.replace("//", f"//__token__:{token}@"), "hello-lib")
    check(by_token.version("hello_lib") == "1.5", "it is not installed with a token")
    status = get(index, {"Authorization": f"Bearer {token}"})[0]
    check(status == 200, f"a bearer token gets {status}")
    check(get(index, {"Authorization": "Bearer x" + token})[0] == 401, "any token will do")
    check(get(index)[0] == 401, "nobody need log in")


def test_uv_logs_in(world):
    hello(world.index)
    serve, _ = users(world)
    hub = world.serving({**world.pypi_row(), "readers": ["reader"]}, serve=serve)
    uv = clients.Uv(world)
    uv.install(hub.url + SIMPLE, "hello-lib", fails=True)
    uv.write(".netrc", "machine 127.0.0.1 login reader password \"s3cret word\"\n")
    uv.install(hub.url + SIMPLE, "hello-lib")
    check(uv.version("hello_lib") == "1.5", "it is not installed")


def test_pip_installs_from_a_snapshot(world):
    hub = serving(world)
    hub.run("snapshot", "before")
    world.index.add("hello-lib", "2.0")
    hub.sync()
    now, then = world.pip("now"), world.pip("then")

    def new():
        return b"hello_lib-2.0" in get(hub.url + SIMPLE + "hello-lib/")[2]

    reservoir.wait("the new release", new)
    now.install(hub.url + SIMPLE, "hello-world")
    then.install(hub.url + "/snapshot/before" + SIMPLE, "hello-world")
    check(now.version("hello_lib") == "2.0", f"{now.version('hello_lib')} now")
    check(then.version("hello_lib") == "1.5", f"{then.version('hello_lib')} then")


def test_pip_installs_after_a_rollback(world):
    hub = serving(world)
    good = hub.generation()
    world.index.add("hello-lib", "2.0")
    hub.sync()
    hub.run("rollback", str(good))

    def old():
        return b"hello_lib-2.0" not in get(hub.url + SIMPLE + "hello-lib/")[2]

    reservoir.wait("the old release", old)
    pip = world.pip()
    pip.install(hub.url + SIMPLE, "hello-lib")
    check(pip.version("hello_lib") == "1.5", f"{pip.version('hello_lib')} is installed")
    check(hub.generation() > good, "a rollback is a new generation")


def test_pip_installs_from_a_cache_offline(world):
    hello(world.index)
    hub = world.reservoir()
    hub.configure([{"name": "pypi", "ecosystem": "pypi", "mode": "cache", "cacheFor": "1s",
                    "upstream": world.upstream.pypi_url}])
    hub.serve()
    first, second = world.pip("first"), world.pip("second")
    first.install(hub.url + SIMPLE, "hello-world")
    check(first.version("hello_lib") == "1.5", "it is not installed")
    world.upstream.close()
    __import__("time").sleep(1.2)
    second.install(hub.url + SIMPLE, "hello-world")
    check(second.version("hello_lib") == "1.5", "it is not installed without the upstream")
    second.install(hub.url + SIMPLE, "unrelated", fails=True)


def test_a_cache_knows_the_files_of_another(world):
    """With several servers, or a lock file, the page was never asked for here."""
    hello(world.index)
    urls = []
    for name in ("one", "other"):
        hub = world.reservoir(name)
        hub.configure([{"name": "pypi", "ecosystem": "pypi", "mode": "cache",
                        "upstream": world.upstream.pypi_url}])
        hub.serve()
        urls.append(hub.url)
    page = get(urls[0] + SIMPLE + "hello-lib/")[2].decode()
    links = re.findall(r'href="([^"#]*hello_lib-1.5[^"#]*[.]whl)', page)
    path = urllib.parse.urljoin(SIMPLE + "hello-lib/", links[0])
    status, _, wheel = get(urls[1] + path)
    check(status == 200 and wheel == get(urls[0] + path)[2], f"{path} is answered with {status}")
    check(get(urls[1] + path.replace("1.5", "7.7"))[0] == 404, "a file that nobody lists is there")


def test_pip_is_configured_by_client_config(world):
    hub = serving(world)
    text = hub.run("client-config", "pip", "--base-url", hub.url)
    pip = world.pip()
    path = pip.write("pip.conf", pick(text, "[global]"))
    pip.env["PIP_CONFIG_FILE"] = path
    pip.install(None, "hello-world")
    check(pip.version("hello_lib") == "1.5", "it is not installed")


def test_uv_is_configured_by_client_config(world):
    hub = serving(world)
    text = hub.run("client-config", "uv", "--base-url", hub.url)
    uv = clients.Uv(world)
    path = uv.write("uv.toml", pick(text, "[[index]]"))
    del uv.env["UV_NO_CONFIG"]
    uv.env["UV_CONFIG_FILE"] = path
    uv.install(None, "hello-world")
    check(uv.version("hello_lib") == "1.5", "it is not installed")


def pick(text, head):
    """Return the lines of a file out of a text that is for a person."""
    lines = text.splitlines()
    for start, line in enumerate(lines):
        if line.strip() == head:
            break
    else:
        raise reservoir.Failed(f"there is no {head} in:\n{text}")
    taken = []
    for line in lines[start:]:
        if taken and not line.strip():
            break
        taken.append(line.strip())
    return "\n".join(taken) + "\n"


def test_pages_are_what_the_standards_say(world):
    hub = serving(world)
    kind = "application/vnd.pypi.simple.v1+json"
    status, headers, body = get(hub.url + SIMPLE + "hello-world/", {"Accept": kind})
    page = json.loads(body)
    check(status == 200 and headers["Content-Type"] == kind, f"{status} {headers}")
    check(page["name"] == "hello-world" and page["versions"] == ["1.0"], page)
    check(len(page["files"]) == 2, page)
    for file in page["files"]:
        check(file["size"] > 0 and file["hashes"]["sha256"] and file["upload-time"], file)
        check(("core-metadata" in file) == file["filename"].endswith(".whl"), file)
        check("dist-info-metadata" not in file, file)
    check("accept" in headers["Vary"].lower(), headers["Vary"])
    etag = headers["ETag"]
    status, headers, body = get(hub.url + SIMPLE + "hello-world/",
                                {"Accept": kind, "If-None-Match": etag})
    check(status == 304 and not body, f"{status}")


def test_replicas_answer_alike(world):
    """Two servers of one store give the same bytes and headers; one may go away."""
    hub = serving(world)
    other = reservoir.Reservoir(world, "replica")
    other.store = hub.store
    other.serve()
    page = json.loads(get(hub.url + SIMPLE + "hello-lib/", {
        "Accept": "application/vnd.pypi.simple.v1+json"})[2])
    paths = [SIMPLE, SIMPLE + "hello-lib/", SIMPLE + "hello-world/",
             "/pypi/" + page["files"][0]["url"].removeprefix("../../")]
    for path in paths:
        first, second = get(hub.url + path), get(other.url + path)
        check(first[0] == second[0] == 200 and first[2] == second[2], f"{path} differs")
        for header in ("ETag", "Last-Modified", "Content-Type", "Vary", "Cache-Control"):
            check(first[1][header] == second[1][header], f"{header} of {path} differs")
    hub.stop()
    pip = world.pip()
    pip.install(other.url + SIMPLE, "hello-world")
    check(pip.version("hello_lib") == "1.5", "it is not installed")


def test_pip_is_not_disturbed_by_reloads(world):
    """Configurations are read again and again while clients download."""
    hub = serving(world)
    pip = world.pip()
    over = threading.Event()

    def reload():
        while not over.wait(0.05):
            hub.server.send_signal(signal.SIGHUP)

    thread = threading.Thread(target=reload)
    thread.start()
    try:
        for _ in range(5):
            pip.install(hub.url + SIMPLE, "hello-world")
    finally:
        over.set()
        thread.join()
    check(not [line for line in hub.accessed("GET") if " 500 " in line or " 503 " in line],
          "a client saw an error")
    hub.stop()
