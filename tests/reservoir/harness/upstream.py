# SPDX-License-Identifier: Apache-2.0
"""The upstream of a test: an index below /pypi/, a directory below /apt/, and a log."""

import email.utils
import hashlib
import http.server
import os
import re
import threading
import urllib.parse

JSON = "application/vnd.pypi.simple.v1+json"


def tag_of(data):
    """Return an entity tag that differs for bytes written within a second, too."""
    return f'"{hashlib.sha256(data).hexdigest()[:16]}"'


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *_):
        pass

    def do_HEAD(self):
        self.do_GET()

    def do_GET(self):
        upstream = self.server.upstream
        if upstream.server is None:  # connections of before do not outlive it
            self.close_connection = True
            return
        path = urllib.parse.unquote(self.path.split("?")[0])
        answer = upstream.find(path, self.headers.get("Accept", ""))
        with upstream.lock:
            upstream.requests.append(path)
        if answer is None:
            self.answer(404, b"not here\n", {"Content-Type": "text/plain"})
            return
        data, headers = answer
        if self.unchanged(headers):
            self.answer(304, b"", headers)
            return
        match = re.fullmatch(r"bytes=(\d+)-(\d*)", self.headers.get("Range", ""))
        if match and int(match[1]) < len(data) and self.headers.get(
                "If-Range", headers["ETag"]) in (headers["ETag"], headers["Last-Modified"]):
            first = int(match[1])
            last = min(int(match[2] or len(data) - 1), len(data) - 1)
            headers["Content-Range"] = f"bytes {first}-{last}/{len(data)}"
            self.answer(206, data[first:last + 1], headers)
            return
        self.answer(200, data, headers)

    def unchanged(self, headers):
        if "If-None-Match" in self.headers:
            return headers["ETag"] in self.headers["If-None-Match"]
        return self.headers.get("If-Modified-Since") == headers["Last-Modified"]

    def answer(self, status, data, headers):
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        if status != 304:
            self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        if self.command != "HEAD" and status != 304:
            self.wfile.write(data)


class Upstream:
    """Serves until it is closed; everything can be changed meanwhile."""

    def __init__(self, pypi=None, apt=None, port=0, host="127.0.0.1"):
        self.pypi, self.apt, self.host = pypi, apt, host
        self.lock = threading.Lock()
        self.requests = []
        self.server = None
        self.start(port)

    def start(self, port=0):
        self.server = http.server.ThreadingHTTPServer((self.host, port), Handler)
        self.server.daemon_threads = True
        self.server.upstream = self
        self.port = self.server.server_address[1]
        threading.Thread(target=self.server.serve_forever, args=(0.05,), daemon=True).start()

    @property
    def url(self):
        return f"http://{self.host}:{self.port}"

    @property
    def pypi_url(self):
        return f"{self.url}/pypi/simple/"

    @property
    def apt_url(self):
        return f"{self.url}/apt/"

    def close(self):
        if self.server:
            self.server.shutdown()
            self.server.server_close()
            self.server = None

    def seen(self):
        """Return what was asked for since the last time."""
        with self.lock:
            requests, self.requests = self.requests, []
        return requests

    def find(self, path, accept):
        """Return (data, headers), or None."""
        if path.startswith("/apt/") and self.apt:
            return self.find_file(os.path.join(self.apt, path[len("/apt/"):]))
        if path.startswith("/pypi/") and self.pypi:
            return self.find_page(path[len("/pypi/"):], accept)
        return None

    @staticmethod
    def find_file(path):
        try:
            with open(path, "rb") as file:
                data = file.read()
            when = os.stat(path).st_mtime
        except OSError:
            return None
        return data, {"Content-Type": "application/octet-stream", "ETag": tag_of(data),
                      "Last-Modified": email.utils.formatdate(when, usegmt=True)}

    def find_page(self, path, accept):
        as_json = JSON in accept
        serial = self.pypi.serial
        if path == "simple/":
            data = self.pypi.list_json() if as_json else self.pypi.list_html()
        elif path.startswith("simple/") and path.endswith("/"):
            project = path[len("simple/"):-1]
            if project not in self.pypi.projects:
                return None
            data = self.pypi.page_json(project) if as_json else self.pypi.page_html(project)
            serial = self.pypi.serials[project]
        elif path in self.pypi.data:
            data, as_json = self.pypi.data[path], None
        else:
            return None
        kind = {True: JSON, False: "text/html", None: "application/octet-stream"}[as_json]
        return data, {"Content-Type": kind, "X-PyPI-Last-Serial": str(serial),
                      "Vary": "Accept", "ETag": tag_of(data),
                      "Last-Modified": "Mon, 01 Jan 2024 00:00:00 GMT"}
