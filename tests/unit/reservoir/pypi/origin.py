# SPDX-License-Identifier: Apache-2.0
"""An index of made-up projects, with serials, entity tags and whatever may go wrong."""

import hashlib
import html
import http.server
import io
import json
import threading
import zipfile

JSON = "application/vnd.pypi.simple.v1+json"


def make_wheel(name, version, requires=(), tag="py3-none-any", extra_fields="", more=()):
    """@more: names of further members, and their bytes, which are stored as they are."""
    fields = f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n{extra_fields}"
    fields += "".join(f"Requires-Dist: {line}\n" for line in requires)
    metadata = (fields + "\nWords.\n").encode()
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w", zipfile.ZIP_DEFLATED) as wheel:
        wheel.writestr(zipfile.ZipInfo(f"{name}/__init__.py"), f"version = '{version}'\n")
        for member, body in more:
            wheel.writestr(zipfile.ZipInfo(member), body, zipfile.ZIP_STORED)
        wheel.writestr(zipfile.ZipInfo(f"{name}-{version}.dist-info/METADATA"), metadata)
        wheel.writestr(
            zipfile.ZipInfo(f"{name}-{version}.dist-info/WHEEL"),
            f"Wheel-Version: 1.0\nGenerator: x\nRoot-Is-Purelib: true\nTag: {tag}\n",
        )
        wheel.writestr(zipfile.ZipInfo(f"{name}-{version}.dist-info/RECORD"), "")
    return f"{name}-{version}-{tag}.whl", data.getvalue(), metadata


def sha256(data):
    return hashlib.sha256(data).hexdigest()


class Origin:
    """What it serves is changed between syncs; what was asked for is in `asked`."""

    def __init__(self):
        self.projects = {}  # name -> list of rows of files
        self.serials = {}
        self.page_serials = {}  # those that differ
        self.bytes = {}  # path -> body
        self.absent = set()  # paths answered with 404
        self.moved = {}  # path -> where it is redirected to
        self.asked = []
        self.sent = 0  # bytes of bodies
        self.ranges = True
        self.parts = {}  # path -> what is sent of it by Range, if that is something else
        self.etags = True
        self.html = False
        self.serial = 0
        self.statuses = {}
        origin = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def log_message(self, *args):
                pass

            def do_GET(self):
                origin.answer(self)

        class Server(http.server.ThreadingHTTPServer):
            def handle_error(self, request, client_address):
                """Clients may go when they have what they want."""

        self.server = Server(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        self.url = f"http://127.0.0.1:{self.server.server_port}/simple/"

    def add(self, name, version, requires=(), tag="py3-none-any", offered=True, members=(), **more):
        plain = name.replace("-", "_")
        file, data, metadata = make_wheel(plain, version, requires, tag, more=members)
        row = {
            "filename": file,
            "url": f"../../files/{file}",
            "hashes": {"sha256": sha256(data)},
            "requires-python": None,
            "size": len(data),
            "upload-time": f"2024-01-01T00:00:{len(self.bytes) % 60:02}.000000Z",
            "yanked": False,
        }
        if offered:
            row["core-metadata"] = {"sha256": sha256(metadata)}
            self.bytes[f"/files/{file}.metadata"] = metadata
        row.update(more)
        self.bytes[f"/files/{file}"] = data
        self.projects.setdefault(name, []).append(row)
        self.touch(name)
        return row

    def touch(self, name):
        self.serial += 1
        self.serials[name] = self.serial

    def remove(self, name):
        del self.projects[name]
        self.serials.pop(name)

    def page(self, name):
        if self.html:
            lines = []
            for row in self.projects[name]:
                line = f'<a href="{row["url"]}#sha256={row["hashes"]["sha256"]}"'
                if row["requires-python"]:
                    line += f' data-requires-python="{html.escape(row["requires-python"])}"'
                if row["yanked"]:
                    line += f' data-yanked="{html.escape(str(row["yanked"]))}"'
                if "core-metadata" in row:
                    line += f' data-core-metadata="sha256={row["core-metadata"]["sha256"]}"'
                lines.append(line + f">{row['filename']}</a><br/>")
            return "text/html", ("<!DOCTYPE html><html>\n" + "\n".join(lines)).encode()
        page = {"meta": {"api-version": "1.3"}, "name": name, "files": self.projects[name]}
        if name in self.statuses:
            page["project-status"] = self.statuses[name]
        return JSON, json.dumps(page).encode()

    def listing(self):
        if self.html:
            lines = [f'<a href="/simple/{name}/">{name}</a>' for name in self.projects]
            return "text/html", ("<html>\n" + "\n".join(lines)).encode()
        rows = [{"name": name, "_last-serial": self.serials[name]} for name in self.projects]
        meta = {"api-version": "1.3", "_last-serial": self.serial}
        return JSON, json.dumps({"meta": meta, "projects": rows}).encode()

    def find(self, path):
        if path in self.absent:
            return None
        if path == "/simple/":
            return self.listing()
        if path.startswith("/simple/") and path[8:].rstrip("/") in self.projects:
            return self.page(path[8:].rstrip("/"))
        if path in self.bytes:
            return "application/octet-stream", self.bytes[path]
        return None

    def redirect(self, request):
        self.asked.append((request.path, 301))
        request.send_response(301)
        request.send_header("Location", self.moved[request.path])
        request.send_header("Content-Length", "0")
        request.end_headers()

    def answer(self, request):
        if request.path in self.moved:
            self.redirect(request)
            return
        found = self.find(request.path)
        if not found:
            self.asked.append((request.path, 404))
            request.send_response(404)
            request.send_header("Content-Length", "0")
            request.end_headers()
            return
        kind, body = found
        part = self.ranges and request.headers.get("Range")
        if part and request.path in self.bytes:
            self.send_part(request, part, self.parts.get(request.path, body))
            return
        etag = f'"{sha256(body)[:16]}"'
        same = self.etags and request.headers.get("If-None-Match") == etag
        self.asked.append((request.path, 304 if same else 200))
        request.send_response(304 if same else 200)
        if self.etags:
            request.send_header("ETag", etag)
        name = request.path[8:].rstrip("/")
        if request.path.startswith("/simple/") and name in self.serials:
            serial = self.page_serials.get(name, self.serials[name])
            request.send_header("X-PyPI-Last-Serial", str(serial))
        if not same:
            request.send_header("Content-Type", kind)
            request.send_header("Content-Length", str(len(body)))
        request.end_headers()
        if not same:
            self.write(request, body)

    def write(self, request, body):
        try:
            for at in range(0, len(body), 16384):
                request.wfile.write(body[at : at + 16384])
                self.sent += len(body[at : at + 16384])
        except OSError:
            request.close_connection = True

    def send_part(self, request, part, body):
        first, last = part.removeprefix("bytes=").split("-")
        if first:
            first, last = int(first), min(int(last or len(body)), len(body) - 1)
        else:
            first, last = max(0, len(body) - int(last)), len(body) - 1
        self.asked.append((request.path, 206))
        request.send_response(206)
        request.send_header("Content-Range", f"bytes {first}-{last}/{len(body)}")
        request.send_header("Content-Length", str(last - first + 1))
        request.end_headers()
        self.write(request, body[first : last + 1])
