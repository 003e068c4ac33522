# SPDX-License-Identifier: Apache-2.0
"""A signed APT archive in a directory, and a Python package index in memory.

Sources: Debian's "DebianRepository/Format" page; PEP 503, 691, 700 and 714
"""

import gzip
import hashlib
import html
import json
import lzma
import os
import re
import shutil
import subprocess
import tempfile
import time

from harness import packages
from harness.sandbox import Skip


class Gpg:
    """An OpenPGP key of its own, in a folder."""

    def __init__(self, folder, name="Archive of a test", kind="ed25519"):
        if not shutil.which("gpg"):
            raise Skip("gpg is not installed (package gnupg)")
        # The socket of gpg's agent has a short name, which few folders have.
        self.home = folder.folder("gpg-" + name.split()[0].lower())
        os.chmod(self.home, 0o700)
        folder.at_end.append(lambda: self.run("gpgconf", "--kill", "all", fails=True))
        self.run("gpg", "--batch", "--passphrase", "", "--faked-system-time", "20240101T000000",
                 "--quick-gen-key", f"{name} <archive@example.org>", kind, "sign", "never")
        self.public = os.path.join(self.home, "public.gpg")
        self.secret = os.path.join(self.home, "secret.asc")
        self.export()

    def export(self):
        self.run("gpg", "--batch", "--yes", "--output", self.public, "--export")
        self.run("gpg", "--batch", "--yes", "--armor", "--output", self.secret,
                 "--export-secret-keys")
        os.chmod(self.secret, 0o600)

    def renew(self):
        """Have the key expire at another time, decided now."""
        listed = subprocess.run(["gpg", "--batch", "--with-colons", "--list-keys"], check=True,
                                env={**os.environ, "GNUPGHOME": self.home}, capture_output=True,
                                text=True, stdin=subprocess.DEVNULL)
        fingerprint = next(line.split(":")[9] for line in listed.stdout.splitlines()
                           if line.startswith("fpr:"))
        self.run("gpg", "--batch", "--passphrase", "", "--quick-set-expire", fingerprint, "10y")
        self.export()

    def run(self, *words, fails=False):
        env = {**os.environ, "GNUPGHOME": self.home}
        subprocess.run(words, env=env, check=not fails, capture_output=True,
                       stdin=subprocess.DEVNULL, timeout=60)

    def clearsign(self, source, target):
        self.run("gpg", "--batch", "--yes", "--output", target, "--clearsign", source)

    def detach(self, source, target):
        self.run("gpg", "--batch", "--yes", "--armor", "--output", target, "--detach-sign", source)


def certificate(folder, name="server"):
    """Return files of a certificate of localhost, which is its own authority, and of its key."""
    if not shutil.which("openssl"):
        raise Skip("openssl is not installed")
    made, key = folder.join(f"{name}.crt"), folder.join(f"{name}.key")
    subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2",
                    "-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost",
                    "-keyout", key, "-out", made], check=True, capture_output=True)
    return made, key


def write(path, data, when=None):
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path + ".new", "wb") as file:
        file.write(data)
    if when is not None:
        os.utime(path + ".new", (when, when))
    os.replace(path + ".new", path)


def ed_script(before, after):
    """Return what makes one text the other, as `diff --ed` writes it."""
    with tempfile.NamedTemporaryFile() as old, tempfile.NamedTemporaryFile() as new:
        old.write(before)
        new.write(after)
        old.flush()
        new.flush()
        done = subprocess.run(["diff", "--ed", old.name, new.name], capture_output=True,
                              check=False)
    if done.returncode > 1:
        raise Skip("diff does not run (package diffutils)")
    return done.stdout


class AptArchive:
    """An archive with one suite, below a directory."""

    def __init__(self, root, gpg, suite="stable", components=("main",), architecture="amd64",
                 valid_for=None, by_hash=True, diffs=0):
        self.root, self.gpg, self.suite = root, gpg, suite
        self.components, self.architecture = components, architecture
        self.valid_for, self.by_hash = valid_for, by_hash
        self.diffs = diffs  # of each Packages that are kept
        self._history = {component: [] for component in components}  # (name, before, patch)
        self._last = {}
        self.stanzas = {component: {} for component in components}

    def add(self, name, version="1.0", component="main", **what):
        """Add a package; publish() shows it."""
        text, data = packages.deb(name, version, **what)
        arch = what.get("architecture", "all")
        path = f"pool/{component}/{name[0]}/{name}/{name}_{version}_{arch}.deb"
        write(os.path.join(self.root, path), data)
        self.stanzas[component][name, version] = (
            text + f"Filename: {path}\nSize: {len(data)}\n"
            f"MD5sum: {hashlib.md5(data).hexdigest()}\nSHA256: {packages.sha256(data)}\n")
        return path

    def remove(self, name, component="main"):
        for key in [key for key in self.stanzas[component] if key[0] == name]:
            del self.stanzas[component][key]

    def add_file(self, stanza, data, component="main"):
        """Add a package that was made elsewhere, with its stanza."""
        fields = dict(line.split(": ", 1) for line in stanza.splitlines()
                      if ": " in line and line[0] not in " \t")
        write(os.path.join(self.root, fields["Filename"]), data)
        self.stanzas[component][fields["Package"], fields["Version"]] = stanza.rstrip() + "\n"

    def _diff(self, component, text, when):
        """Yield the files of the diffs that lead to a new Packages."""
        last, self._last[component] = self._last.get(component), text
        history = self._history[component]
        if last not in (None, text):
            patch = ed_script(last, text)
            name = time.strftime("T-%Y-%m-%d-%H%M.%S-F", time.gmtime(when))
            history.append((name, last, patch))
            del history[:-self.diffs]
        folder = f"{component}/binary-{self.architecture}/Packages.diff"

        def lines(title, rows):
            return f"{title}:\n" + "".join(f" {packages.sha256(data)} {len(data)} {name}\n"
                                           for name, data in rows)

        packed = [(f"{name}.gz", gzip.compress(patch, 9, mtime=0)) for name, _, patch in history]
        if history:
            index = (f"SHA256-Current: {packages.sha256(text)} {len(text)}\n"
                     + lines("SHA256-History", [row[:2] for row in history])
                     + lines("SHA256-Patches", [(name, patch) for name, _, patch in history])
                     + lines("SHA256-Download", packed))
            yield f"{folder}/Index", index.encode()
            for name, data in packed:
                yield f"{folder}/{name}", data

    def _indexes(self, when):
        for component in self.components:
            folder = f"{component}/binary-{self.architecture}"
            stanzas = self.stanzas[component]
            text = "\n".join(stanzas[key] for key in sorted(stanzas)).encode()
            if self.diffs:
                yield from self._diff(component, text, when)
            yield f"{folder}/Packages", text
            yield f"{folder}/Packages.gz", gzip.compress(text, 9, mtime=0)
            yield f"{folder}/Packages.xz", lzma.compress(text)
            yield f"{component}/i18n/Translation-en.xz", lzma.compress(b"")

    def publish(self, when=None):
        """Write the indexes and sign them, each file in one rename."""
        when = int(time.time()) if when is None else when
        dists = os.path.join(self.root, "dists", self.suite)
        lines = []
        for path, data in self._indexes(when):
            digest = packages.sha256(data)
            lines.append(f" {digest} {len(data)} {path}")
            if self.by_hash:
                folder = os.path.dirname(path)
                write(os.path.join(dists, folder, "by-hash", "SHA256", digest), data, when)
            write(os.path.join(dists, path), data, when)
        def stamp(seconds):
            return time.strftime("%a, %d %b %Y %H:%M:%S UTC", time.gmtime(seconds))

        head = [f"Origin: Example\nLabel: Example\nSuite: {self.suite}\nCodename: {self.suite}",
                f"Date: {stamp(when)}"]
        if self.valid_for:
            head.append(f"Valid-Until: {stamp(when + self.valid_for)}")
        if self.by_hash:
            head.append("Acquire-By-Hash: yes")
        head += [f"Architectures: {self.architecture}", f"Components: {' '.join(self.components)}",
                 "SHA256:", *lines]
        release = os.path.join(dists, "Release")
        write(release + ".tmp", ("\n".join(head) + "\n").encode(), when)
        self.gpg.clearsign(release + ".tmp", os.path.join(dists, ".InRelease"))
        self.gpg.detach(release + ".tmp", release + ".gpg")
        os.utime(os.path.join(dists, ".InRelease"), (when, when))
        os.replace(release + ".tmp", release)
        os.replace(os.path.join(dists, ".InRelease"), os.path.join(dists, "InRelease"))


def normal(name):
    return re.sub(r"[-_.]+", "-", name).lower()


class PypiIndex:
    """Projects, their files, and the two forms of their pages."""

    def __init__(self):
        self.projects = {}
        self.data = {}
        self.serial = 1000
        self.serials = {}

    def touch(self, project):
        self.serial += 1
        self.serials[project] = self.serial

    def _add(self, name, version, filename, data, python, meta):
        project = normal(name)
        file = {"filename": filename, "url": f"../../files/{filename}", "size": len(data),
                "hashes": {"sha256": packages.sha256(data)},
                "upload-time": "2024-01-01T00:00:00.000000Z", "yanked": False}
        if python:
            file["requires-python"] = python
        self.data[f"files/{filename}"] = data
        if meta is not None:
            file["core-metadata"] = {"sha256": packages.sha256(meta)}
            self.data[f"files/{filename}.metadata"] = meta
        self.projects.setdefault(project, []).append((version, file))
        self.touch(project)

    def add(self, name, version="1.0", sdist=False, **what):
        """Add a wheel, and the sdist too if that is asked for."""
        filename, data, meta = packages.wheel(name, version, **what)
        self._add(name, version, filename, data, what.get("python"), meta)
        if sdist:
            self.add_sdist(name, version, what.get("requires", ()), what.get("python"))

    def add_sdist(self, name, version, requires=(), python=None):
        filename, data = packages.sdist(name, version, requires, python)
        self._add(name, version, filename, data, python, None)

    def yank(self, name, version, reason):
        for other, file in self.projects[normal(name)]:
            if other == version:
                file["yanked"] = reason
        self.touch(normal(name))

    def remove(self, name):
        del self.projects[normal(name)]
        self.serial += 1

    def list_json(self):
        return json.dumps({"meta": {"api-version": "1.4", "_last-serial": self.serial},
                           "projects": [{"name": name, "_last-serial": self.serials[name]}
                                        for name in sorted(self.projects)]}).encode()

    def page_json(self, project):
        files = self.projects[project]
        return json.dumps({"meta": {"api-version": "1.4", "_last-serial": self.serials[project]},
                           "name": project, "files": [file for _, file in files],
                           "versions": sorted({version for version, _ in files})}).encode()

    def page_html(self, project):
        lines = []
        for _, file in self.projects[project]:
            url = f"{file['url']}#sha256={file['hashes']['sha256']}"
            more = ""
            if "requires-python" in file:
                more += f' data-requires-python="{html.escape(file["requires-python"])}"'
            if file["yanked"] is not False:
                more += f' data-yanked="{html.escape(file["yanked"])}"'
            if "core-metadata" in file:
                more += f' data-core-metadata="sha256={file["core-metadata"]["sha256"]}"'
            lines.append(f'<a href="{url}"{more}>{file["filename"]}</a><br>')
        return ("<!DOCTYPE html><html><body>\n" + "\n".join(lines) + "\n</body></html>\n").encode()

    def list_html(self):
        names = "".join(f'<a href="{n}/">{n}</a>\n' for n in sorted(self.projects))
        return f"<!DOCTYPE html><html><body>\n{names}</body></html>\n".encode()
