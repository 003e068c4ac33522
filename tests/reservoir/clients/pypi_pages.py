# SPDX-License-Identifier: Apache-2.0
"""pip and uv before pages with odd names, versions and fields.  Each test_X is
reservoir.clients.X."""

import json
import os
import urllib.parse

from harness import clients
from harness.reservoir import get
from harness.world import check

SIMPLE = "/pypi/simple/"
JSON = {"Accept": "application/vnd.pypi.simple.v1+json"}
# Versions whose bytes mean something in a URL, or are written otherwise than compared.
VERSIONS = ("1.0", "1.0+cu118", "1!0.5", "1!1.0.post2", "1!2.0rc1")


def test_pypi_pages_odd_versions(world):
    for version in VERSIONS:
        world.index.add("Odd.Name__x", version)
    hub = world.serving(world.pypi_row(["odd-name.X"], prereleases=True))
    page = json.loads(get(hub.url + SIMPLE + "odd-name-x/", JSON)[2])
    check(sorted(page["versions"]) == sorted(VERSIONS), page["versions"])
    for client in (clients.old_pip(world), clients.Uv(world)):
        for wanted, got in (("odd.name_X", "1!1.0.post2"), ("Odd-Name-x<1!0", "1.0+cu118"),
                            ("odd-name-x==1!2.0rc1", "1!2.0rc1")):
            client.install(hub.url + SIMPLE, "--upgrade", wanted)
            found = client.version("odd_name__x")
            check(found == got, f"{client.name}: {wanted} brings {found}")


def test_pypi_pages_old_sources(world):
    """Names of sources from before PEP 625, and a build number of a wheel."""
    world.index.add_sdist("zope.interface", "1.0")
    project = world.index.projects["zope-interface"]
    file = project[0][1]
    data = world.index.data.pop(f"files/{file['filename']}")
    file["filename"] = "zope.interface-1.0.tar.gz"
    file["url"] = "../../files/zope.interface-1.0.tar.gz#sha256=" + file["hashes"]["sha256"]
    world.index.data["files/zope.interface-1.0.tar.gz"] = data
    world.index.add("built", "1.0", tag="7-py3-none-any")
    hub = world.serving(world.pypi_row(["zope.interface", "built"]))
    for client in (world.pip(), clients.Uv(world)):
        client.install(hub.url + SIMPLE, "zope.interface", "built")
        check(client.version("zope_interface") == "1.0", client.name)
        check(client.version("built") == "1.0", client.name)


def test_pypi_pages_fields(world):
    """Reasons and requirements with every byte that HTML and JSON escape."""
    reason = 'no "good" <b>&amp; \u00e4\u2603\\ \'x\''
    world.index.add("fields", "1.0", python=">=3.6,<4,!=3.7.*")
    world.index.add("fields", "2.0", python='>=3.6, <"9"')
    world.index.add("fields", "3.0")
    world.index.yank("fields", "3.0", reason)
    for _, file in world.index.projects["fields"]:
        file["provenance"] = f"../../files/{file['filename']}.provenance"
        world.index.data[f"files/{file['filename']}.provenance"] = b'{"version": 1}'
    hub = world.serving(world.pypi_row(["fields"]))
    page = json.loads(get(hub.url + SIMPLE + "fields/", JSON)[2])
    files = {file["filename"].split("-")[1]: file for file in page["files"]}
    check(files["3.0"]["yanked"] == reason, files["3.0"])
    check(files["1.0"]["requires-python"] == ">=3.6,<4,!=3.7.*", files["1.0"])
    for file in files.values():
        url = urllib.parse.urljoin(hub.url + SIMPLE + "fields/", file["provenance"])
        check(get(url)[2] == b'{"version": 1}', f"provenance of {file}")
    for client in (clients.old_pip(world), clients.Uv(world)):
        client.install(hub.url + SIMPLE, "fields==1.0")
        check(client.version("fields") == "1.0", client.name)
    out = world.pip("again").install(hub.url + SIMPLE, "fields==3.0")
    check("no \"good\" <b>&amp;" in out, out)


def test_pypi_pages_tools(world):
    """What looks at a page without installing."""
    world.index.add("app", "1.0", requires=["lib>=1.0.*", "win; sys_platform == 'win32'"])
    world.index.add("lib", "1.0")
    world.index.add("lib", "2.0")
    world.index.add("lib", "3.0rc1")
    world.index.add("win", "1.0", tag="cp311-cp311-win_amd64")
    hub = world.serving(world.pypi_row(["app"], environments=[
        {"python": "3.11", "platform": "win_amd64"},
        {"python": "3.11", "platform": "manylinux_2_28_x86_64"}]))
    out = clients.new_pip(world).pip("index", "versions", "lib", "--index-url", hub.url + SIMPLE)
    check("Available versions: 2.0, 1.0" in out, out)
    uv = clients.Uv(world)
    wanted = uv.write("wanted.in", "app\n")
    out = uv.run(uv.program, "pip", "compile", "--generate-hashes", "--no-header",
                 "--python-platform", "windows", "--python-version", "3.11", "--index-url",
                 hub.url + SIMPLE, wanted)
    check("app==1.0" in out and "lib==2.0" in out and "win==1.0" in out, out)
    check(out.count("--hash=sha256:") == 3, out)
    pip = world.pip()
    pip.pip("download", "--only-binary", ":all:", "--platform", "win_amd64", "--python-version",
            "3.11", "--no-deps", "--index-url", hub.url + SIMPLE, "-d", pip.target, "win", "lib")
    check(sorted(os.listdir(pip.target)) == ["lib-2.0-py3-none-any.whl",
                                             "win-1.0-cp311-cp311-win_amd64.whl"],
          os.listdir(pip.target))
