# SPDX-License-Identifier: Apache-2.0
"""A proxy in front, as deploy/nginx/reservoir.conf has it.  test_X is reservoir.clients.X."""

import http.client
import os
import shutil
import socket
import ssl

from harness import archive, reservoir
from harness.sandbox import Skip, free_port
from harness.world import check, hello, hello_debs

CONFIGURATION = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "..",
                             "deploy", "nginx", "reservoir.conf")
PAGE = "/pypi/simple/hello-lib/"
FILE = "/pypi/packages/hello-lib/hello_lib-1.5-py3-none-any.whl"


class Nginx:
    """Debian's nginx with the configuration of the repository, but for places and ports."""

    def __init__(self, world, site):
        if not shutil.which("nginx"):
            raise Skip("there is no nginx")
        self.port = free_port()
        self.certificate, key = archive.certificate(world, "proxy")
        with open(CONFIGURATION, encoding="utf-8") as file:
            text = file.read()
        for was, becomes in (("127.0.0.1:8080", f"127.0.0.1:{site.port}"),
                             ("listen 443", f"listen 127.0.0.1:{self.port}"),
                             ("/etc/nginx/packages.crt", self.certificate),
                             ("/etc/nginx/packages.key", key)):
            check(was in text, f"there is no {was} in it")
            text = text.replace(was, becomes)
        places = "".join(f"{name}_temp_path {world.folder('nginx', name)};\n" for name in (
            "client_body", "proxy", "fastcgi", "uwsgi", "scgi"))
        user = "user root;" if os.geteuid() == 0 else ""
        main = world.write("nginx.conf", f"""{user}
daemon off;
pid {world.join('nginx.pid')};
error_log stderr;
events {{}}
http {{
access_log off;
{places}{text}}}
""".encode())
        world.parents.add(world.start(["nginx", "-c", main, "-p", world.path, "-e", "stderr"],
                                      log="nginx.log"))
        self.tls = ssl.create_default_context(cafile=self.certificate)
        reservoir.wait("nginx", self.answers)

    @property
    def url(self):
        return f"https://localhost:{self.port}"

    def answers(self):
        try:
            socket.create_connection(("127.0.0.1", self.port), 5).close()
        except OSError:
            return False
        return True

    def get(self, path, headers=None):
        """Return (status, headers, body)."""
        connection = http.client.HTTPSConnection("localhost", self.port, context=self.tls,
                                                 timeout=reservoir.PATIENCE)
        connection.request("GET", path, headers=headers or {})
        answer = connection.getresponse()
        found = answer.status, answer.headers, answer.read()
        connection.close()
        return found


def behind_nginx(world, *rows, **serve):
    hello(world.index)
    hello_debs(world.archive())
    site = world.serving(world.pypi_row(), world.apt_row(), *rows, serve=serve)
    return site, Nginx(world, site)


def test_proxy_pip_and_apt_install(world):
    _, proxy = behind_nginx(world, proxies=["127.0.0.1"])
    pip = world.pip()
    pip.install(proxy.url + "/pypi/simple/", "--cert", proxy.certificate, "hello-world")
    check(pip.version("hello_lib") == "1.5", "it is not installed")
    apt = world.apt()
    with open(apt.env["APT_CONFIG"], "a", encoding="utf-8") as file:
        file.write(f'Acquire::https::CaInfo "{proxy.certificate}";\n')
    apt.source(proxy.url + "/apt", world.gpg().public)
    apt.update()
    apt.install("hello")
    check("hello" in apt.installed(), apt.installed())


def test_proxy_passes_conditions_and_ranges(world):
    site, proxy = behind_nginx(world, proxies=["127.0.0.1"])
    status, headers, whole = proxy.get(FILE)
    check(status == 200 and headers["ETag"] == reservoir.get(site.url + FILE)[1]["ETag"],
          headers.items())
    check(proxy.get(FILE, {"If-None-Match": headers["ETag"]})[0] == 304, "it is sent again")
    status, part, body = proxy.get(FILE, {"Range": "bytes=1000-1999"})
    check(status == 206 and body == whole[1000:2000], f"{status}, {len(body)} bytes")
    check(part["Content-Range"] == f"bytes 1000-1999/{len(whole)}", part["Content-Range"])
    status, _, body = proxy.get(FILE, {"Range": "bytes=1000-1999", "If-Range": '"other"'})
    check(status == 200 and body == whole, f"{status}, {len(body)} bytes")
    status, headers, _ = proxy.get("/pypi/simple/Hello_Lib/")
    check(status == 301 and not headers["Location"].startswith("http:"), headers.items())
    status, headers, _ = proxy.get(PAGE, {"Accept": "application/vnd.pypi.simple.v1+json",
                                          "Accept-Encoding": "gzip"})
    check(headers["Content-Encoding"] == "gzip" and "json" in headers["Content-Type"],
          headers.items())


def test_proxy_tells_who_asks(world):
    """A client cannot pass for another one, with the proxy or without it."""
    site, proxy = behind_nginx(world, proxies=["127.0.0.0/8"])
    proxy.get(PAGE + "?behind", {"X-Forwarded-For": "192.0.2.7"})
    check(site.accessed("?behind")[0].startswith("127.0.0.1 "), site.accessed("?behind"))
    reservoir.get(site.url + PAGE + "?told", {"X-Forwarded-For": "192.0.2.8"})
    check(site.accessed("?told")[0].startswith("192.0.2.8 "), "a proxy is not believed")
    site.stop()
    site.configure([world.pypi_row()])
    site.serve()
    proxy.get(PAGE + "?untold", {"X-Forwarded-For": "192.0.2.9"})
    reservoir.get(site.url + PAGE + "?made-up", {"X-Forwarded-For": "192.0.2.9"})
    for what in ("?untold", "?made-up"):
        check(site.accessed(what)[0].startswith("127.0.0.1 "), f"{what}: a header is believed")
