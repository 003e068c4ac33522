# SPDX-License-Identifier: Apache-2.0
"""What resolves, locks and syncs: other releases of pip, uv's projects, poetry and pipenv.
Each test_X is reservoir.clients.X; `get-clients DIR more` fetches those that the gate goes
without."""

import json
import os
import sys

from harness import clients
from harness.reservoir import get
from harness.world import check, hello

SIMPLE = "/pypi/simple/"
THEN = "2025-01-01T00:00:00Z"  # between two releases of hello-lib


def serving(world):
    """Return a server of hello-world and of two releases of hello-lib."""
    hello(world.index)
    world.index.add("hello-lib", "1.6")
    world.index.projects["hello-lib"][-1][1]["upload-time"] = "2025-06-01T00:00:00.123456Z"
    hub = world.serving(world.pypi_row(["hello-world", "hello-lib"]))
    return hub, hub.url + SIMPLE


def digests(hub, project):
    """Return {file: hash} of a page."""
    page = json.loads(get(hub.url + SIMPLE + project + "/", {
        "Accept": "application/vnd.pypi.simple.v1+json"})[2])
    return {file["filename"]: file["hashes"]["sha256"] for file in page["files"]}


def requests(hub):
    """Return the paths that were asked for and had; a line is in the log within a second."""
    get(hub.url + "/healthz?behind")
    hub.accessed("/healthz?behind")
    return [line.split('"')[1].split()[1] for line in hub.accessed(" 200 ")]


def wheels(hub):
    return [path for path in requests(hub) if path.endswith(".whl")]


def play_pip(world, release):
    hub, index = serving(world)
    pip = clients.fetched_pip(world, "pip", release, "get-clients DIR more")
    pip.install(index, "hello-world")
    check(pip.version("hello_lib") == "1.6", f"{pip.version('hello_lib')} is installed")
    needed = {**digests(hub, "hello-world"), **digests(hub, "hello-lib")}
    wanted = pip.write("locked.txt", "".join(
        f"{name} --hash=sha256:{needed[file]}\n" for name, file in (
            ("hello-world==1.0", "hello_world-1.0-py3-none-any.whl"),
            ("hello-lib==1.5", "hello_lib-1.5-py3-none-any.whl"))))
    pip.install(index, "--require-hashes", "-r", wanted)
    check(pip.version("hello_lib") == "1.5", f"{pip.version('hello_lib')} is installed")
    pip.write("locked.txt", f"hello-lib==1.6 --hash=sha256:{'0' * 64}\n")
    out = pip.install(index, "--require-hashes", "-r", wanted, fails=True)
    check("DO NOT MATCH" in out, out)
    return hub, index, pip


def test_pip_20(world):
    play_pip(world, "20.3.4")


def test_pip_21(world):
    play_pip(world, "21.3.1")


def test_pip_22(world):
    play_pip(world, "22.3.1")


def test_pip_26(world):
    _, index, pip = play_pip(world, "26.3")
    out = pip.pip("index", "versions", "--index-url", index, "hello-lib")
    check("1.6, 1.5" in out and "WARNING" not in out, out)
    pip.pip("download", "--index-url", index, "--uploaded-prior-to", THEN, "-d", pip.home,
            "hello-lib")
    check("hello_lib-1.5-py3-none-any.whl" in os.listdir(pip.home), os.listdir(pip.home))


def test_pip_resolves_from_metadata(world):
    """No wheel is sent to who only wants to know what it needs."""
    hub, index = serving(world)
    out = clients.new_pip(world).install(index, "--dry-run", "hello-world")
    check("Would install" in out and "hello-lib-1.6" in out, out)
    check(not wheels(hub), wheels(hub))


def project(client, text):
    """Make a folder with a pyproject.toml; return it."""
    path = client.write("project/pyproject.toml",
                        '[project]\nname = "x"\nversion = "1"\nrequires-python = ">=3.8"\n'
                        'dependencies = ["hello-world"]\n' + text)
    return os.path.dirname(path)


def read(folder, name):
    with open(os.path.join(folder, name), encoding="utf-8") as file:
        return file.read()


def test_uv_compiles_locks_and_syncs(world):
    hub, index = serving(world)
    uv = clients.Uv(world)
    wanted = uv.write("wanted.in", "hello-world\n")
    out = uv.run(uv.program, "pip", "compile", "--generate-hashes", "--index-url", index, wanted)
    for digest in digests(hub, "hello-world").values():
        check(f"--hash=sha256:{digest}" in out, out)
    out = uv.run(uv.program, "pip", "compile", "--exclude-newer", THEN, "--index-url", index,
                 wanted)
    check("hello-lib==1.5" in out, out)
    check(not wheels(hub), wheels(hub))
    folder = project(uv, f'[[tool.uv.index]]\nurl = "{index}"\ndefault = true\n')
    del uv.env["UV_NO_CONFIG"]
    uv.run(uv.program, "lock", cwd=folder)
    lock = read(folder, "uv.lock")
    check('upload-time = "2025-06-01T00:00:00.123' in lock and "size = " in lock, lock)
    uv.run(uv.program, "sync", "--locked", cwd=folder)
    out = uv.run(uv.program, "run", "--offline", "python", "-c",
                 "import hello_lib; print(hello_lib.VERSION)", cwd=folder)
    check("1.6" in out, out)


def tool(world, name, **env):
    """Return a tool of a virtual environment of its own."""
    client = clients.Client(world, name)
    client.program = clients.fetched(f"{name}/bin/{name}", "get-clients DIR more")
    client.env.update(env)
    client.env["PATH"] = os.path.dirname(sys.executable) + ":" + client.env["PATH"]
    return client


def test_poetry_locks_and_installs(world):
    hub, index = serving(world)
    poetry = tool(world, "poetry", POETRY_VIRTUALENVS_IN_PROJECT="1",
                  POETRY_KEYRING_ENABLED="false")
    folder = project(poetry, "[tool.poetry]\npackage-mode = false\n"
                             f'[[tool.poetry.source]]\nname = "site"\nurl = "{index}"\n')
    poetry.run(poetry.program, "lock", "-n", cwd=folder)
    check(not wheels(hub), wheels(hub))
    for digest in digests(hub, "hello-world").values():
        check(digest in read(folder, "poetry.lock"), read(folder, "poetry.lock"))
    out = poetry.run(poetry.program, "install", "-n", cwd=folder)
    check("hello-lib (1.6)" in out, out)
    out = poetry.run(poetry.program, "search", "-n", "hello", cwd=folder)
    check("hello-world" in out, out)


def test_pipenv_locks_and_syncs(world):
    hub, index = serving(world)
    pipenv = tool(world, "pipenv", PIPENV_VENV_IN_PROJECT="1", PIPENV_NOSPIN="1")
    folder = os.path.dirname(pipenv.write(
        "project/Pipfile", f'[[source]]\nname = "site"\nurl = "{index}"\nverify_ssl = false\n'
        '[packages]\nhello-world = "*"\n'))
    pipenv.run(pipenv.program, "lock", cwd=folder)
    check(not wheels(hub), wheels(hub))
    for digest in digests(hub, "hello-world").values():
        check(digest in read(folder, "Pipfile.lock"), read(folder, "Pipfile.lock"))
    pipenv.run(pipenv.program, "sync", cwd=folder)
    out = pipenv.run(pipenv.program, "run", "python", "-c",
                     "import hello_lib; print(hello_lib.VERSION)", cwd=folder)
    check("1.6" in out, out)
    hub.accessed("/pypi/simple//hello-world/", " 200 ")
