#!/usr/bin/env -S python3 -B
# SPDX-License-Identifier: Apache-2.0
"""Syncs an index of made-up projects with the real program, and looks at what a client then
gets.  Usage: sync_test.py PROGRAM"""

import contextlib
import hashlib
import json
import os
import re
import shutil
import sqlite3
import subprocess
import sys
import tempfile
import unittest
import urllib.error
import urllib.request

sys.path.insert(1, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "..",
                                "reservoir"))

import origin  # noqa: E402 (beside this file)
from harness import sandbox  # noqa: E402 (needs the path above)

PROGRAM = sys.argv.pop(1)
LINUX = {"python": "3.11", "platform": "manylinux_2_28_x86_64"}
INCOMPLETE = 3  # what sync exits with
WINDOWS = {"python": "3.12", "platform": "win_amd64"}


class Site:
    """A store, its configuration and, when it is looked at, a server."""

    def __init__(self, upstream, **options):
        self.dir = tempfile.mkdtemp(prefix="reservoir-pypi-")
        self.store = os.path.join(self.dir, "store")
        self.config = os.path.join(self.dir, "config.yaml")
        self.upstream = upstream
        self.configure(**options)
        self.run("init", config=False)

    def configure(self, **options):
        repository = {"name": "py", "ecosystem": "pypi", "upstream": self.upstream}
        repository["pypi"] = options
        settings = {"attempts": 1, "keepFree": 0}
        with open(self.config, "w", encoding="utf-8") as file:
            json.dump({"repositories": [repository], "sync": settings}, file)

    def run(self, *words, config=True):
        command = [PROGRAM, *words, "--store", self.store]
        if config:
            command += ["--config", self.config]
        return subprocess.run(
            command, capture_output=True, text=True, check=False, timeout=120
        )

    def sync(self, *words):
        done = self.run("sync", "--no-progress", *words)
        return done.returncode, done.stdout + done.stderr

    def catalogue(self):
        path = os.path.join(self.store, "catalogue.sqlite")
        return contextlib.closing(sqlite3.connect(path))

    def rows(self):
        with self.catalogue() as database:
            return database.execute("SELECT * FROM entry ORDER BY space, key").fetchall()

    def remove(self):
        shutil.rmtree(self.dir)


class Server:
    def __init__(self, site):
        self.process = subprocess.Popen(
            [PROGRAM, "serve", "--store", site.store, "--config", site.config]
            + ["--listen", "127.0.0.1:0"],
            stderr=subprocess.PIPE,
            text=True,
        )
        for line in self.process.stderr:
            found = re.search(r"listening on port (\d+)", line)
            if found:
                self.url = f"http://127.0.0.1:{found.group(1)}/py/"
                return
        raise RuntimeError("the server did not start")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.terminate()
        self.process.communicate(timeout=30)

    def get(self, path, accept=origin.JSON):
        request = urllib.request.Request(self.url + path, headers={"Accept": accept})
        with urllib.request.urlopen(request, timeout=30) as answer:
            return answer.read()

    def page(self, name):
        return json.loads(self.get(f"simple/{name}/"))

    def files(self, name):
        try:
            return [row["filename"] for row in self.page(name)["files"]]
        except urllib.error.HTTPError as error:
            error.close()
            return None


class TestSync(unittest.TestCase):
    def setUp(self):
        self.origin = origin.Origin()
        self.sites = []

    def tearDown(self):
        self.origin.server.shutdown()
        self.origin.server.server_close()
        for site in self.sites:
            site.remove()

    def site(self, **options):
        site = Site(self.origin.url, **options)
        self.sites.append(site)
        return site

    def sync(self, site, expected=0):
        self.origin.asked.clear()
        status, text = site.sync()
        self.assertEqual(status, expected, text)
        return text

    def closure(self):
        self.origin.add("app", "1.0", ["lib>=1,<3", "win-only; sys_platform == 'win32'"])
        self.origin.add("app", "0.9")
        self.origin.add("lib", "1.0")
        self.origin.add("lib", "2.0", ["deep[more]"])
        self.origin.add("lib", "3.0")
        self.origin.add("deep", "1.0", ["bonus; extra == 'more'", "never; extra == 'less'"])
        self.origin.add("bonus", "1.0", offered=False)
        self.origin.add("never", "1.0")
        self.origin.add("win-only", "1.0", tag="cp312-cp312-win_amd64")
        self.origin.add("win-only", "1.0", tag="cp311-cp311-manylinux2014_x86_64")
        return self.site(
            projects=["app"], keepNewest=1, environments=[LINUX, WINDOWS], sdists=False
        )

    def test_closure(self):
        site = self.closure()
        self.sync(site)
        with Server(site) as server:
            self.assertEqual(server.files("app"), ["app-1.0-py3-none-any.whl"])
            self.assertEqual(server.files("lib"), ["lib-2.0-py3-none-any.whl"])
            self.assertEqual(server.files("bonus"), ["bonus-1.0-py3-none-any.whl"])
            self.assertIsNone(server.files("never"))
            self.assertEqual(server.files("win-only"), ["win_only-1.0-cp312-cp312-win_amd64.whl"])
            row = server.page("bonus")["files"][0]
            metadata = server.get("packages/bonus/bonus-1.0-py3-none-any.whl.metadata")
            self.assertEqual(row["core-metadata"]["sha256"], origin.sha256(metadata))
        said = site.run("explain", "bonus").stdout
        self.assertIn("bonus <- deep <- lib <- app", said)

    def test_nothing_new_asks_once_for_each_project(self):
        site = self.closure()
        self.sync(site)
        self.assertIn("unchanged", self.sync(site))
        self.assertEqual({status for _, status in self.origin.asked}, {304})
        self.assertEqual(len(self.origin.asked), 5)

    def test_a_project_has_one_row_in_the_catalogue(self):
        site = self.closure()
        self.sync(site)
        names = ["app", "bonus", "deep", "lib", "win-only"]
        self.assertEqual(
            [key for space, key, _ in site.rows() if space == "pypi/py"], [".", *names]
        )
        for space, key, value in site.rows():
            self.assertLess(len(space) + len(key) + len(value), 150, (space, key))
        self.assertEqual({space for space, _, _ in site.rows()}, {"pypi/py"})
        self.origin.add("lib", "2.5", ["deep[more]"])
        self.sync(site)
        self.sync(site)
        self.assertEqual(len(site.rows()), 1 + len(names))

    def test_what_is_not_selected_any_more_leaves_no_row(self):
        site = self.closure()
        self.sync(site)
        site.configure(projects=["deep"], environments=[LINUX])
        self.sync(site)
        self.assertEqual([key for _, key, _ in site.rows()], [".", "deep"])

    def test_what_an_older_program_noted_is_read_or_goes(self):
        site = self.site(projects=["lib", "app"])
        self.origin.add("lib", "1.0")
        self.origin.add("app", "1.0")
        self.sync(site)
        digest = 32
        with site.catalogue() as database:
            for space, key, value in site.rows():
                if key != ".":
                    self.assertEqual(value[:2], b"\x02\x01")
                    page = value[10 : 10 + digest]
                    old = b"\x01" + value[2:10] + page + page + value[10 + digest :]
                    database.execute(
                        "UPDATE entry SET value = ? WHERE space = ? AND key = ?",
                        (old, space, key),
                    )
            for space in ("source", "expect/none", "pypi/none"):
                database.execute("INSERT INTO entry VALUES (?, 'a', x'00')", (space,))
            database.commit()
        with open(os.path.join(site.store, "sources.journal"), "w", encoding="utf-8") as file:
            file.write("what an older program left\n")
        self.assertIn("unchanged", self.sync(site))
        self.assertEqual({status for _, status in self.origin.asked}, {304})
        self.assertEqual({space for space, _, _ in site.rows()}, {"pypi/py"})
        self.assertFalse(os.path.exists(os.path.join(site.store, "sources.journal")))

    def test_new_release(self):
        site = self.closure()
        self.sync(site)
        self.origin.add("lib", "2.5")
        self.sync(site)
        fetched = [path for path, status in self.origin.asked if status == 200]
        self.assertEqual(
            sorted(fetched),
            ["/files/lib-2.5-py3-none-any.whl", "/files/lib-2.5-py3-none-any.whl.metadata"]
            + ["/simple/lib/"],
        )
        with Server(site) as server:
            self.assertEqual(server.files("lib"), ["lib-2.5-py3-none-any.whl"])
            self.assertIsNone(server.files("deep"))

    def test_yanked(self):
        self.origin.add("a", "1.0")
        self.origin.add("a", "2.0", yanked="it eats <files>")
        site = self.site(projects=["a"], keepNewest=1)
        self.sync(site)
        with Server(site) as server:
            self.assertEqual(server.files("a"), ["a-1.0-py3-none-any.whl"])
        site.configure(projects=["a==2.0"], keepNewest=1)
        self.sync(site)
        with Server(site) as server:
            self.assertEqual(server.page("a")["files"][0]["yanked"], "it eats <files>")
            text = server.get("simple/a/", "text/html").decode()
            self.assertIn('data-yanked="it eats &lt;files&gt;"', text)
        site.configure(projects=["a"])
        self.sync(site)
        with Server(site) as server:
            self.assertEqual(len(server.files("a")), 2)

    def test_deletions(self):
        self.origin.add("a", "1.0")
        bad = self.origin.add("a", "1.1")
        self.origin.add("b", "1.0")
        site = self.site(projects=["a", "b"])
        self.sync(site)
        self.origin.projects["a"].remove(bad)
        self.origin.remove("b")
        self.assertIn("b is gone; it stays", self.sync(site))
        with Server(site) as server:
            self.assertEqual(server.files("b"), ["b-1.0-py3-none-any.whl"])
        self.assertIn("b is gone from the upstream, and from here", self.sync(site))
        with Server(site) as server:
            self.assertEqual(server.files("a"), ["a-1.0-py3-none-any.whl"])
            self.assertIsNone(server.files("b"))
            with self.assertRaises(urllib.error.HTTPError) as caught:
                server.get("packages/a/a-1.1-py3-none-any.whl")
            self.assertEqual(caught.exception.code, 404)
            caught.exception.close()

    def test_one_answer_takes_nothing_away(self):
        """Of a project that is named, of one of the list, and of one that another needs."""
        self.origin.add("a", "1.0", ["b"])
        self.origin.add("b", "1.0")
        for options in ({"projects": ["a", "b"]}, {"all": True},
                        {"projects": ["a"], "environments": [LINUX]}):
            site = self.site(**options)
            self.sync(site)
            for _ in range(2):  # not in a row
                self.origin.absent.add("/simple/b/")
                self.origin.touch("b")
                site.sync("--dry-run")
                self.assertIn("b is gone; it stays", self.sync(site))
                with Server(site) as server:
                    self.assertEqual(server.files("b"), ["b-1.0-py3-none-any.whl"])
                self.origin.absent.clear()
                self.assertNotIn("gone", self.sync(site))

    def test_old_metadata(self):
        """Specifiers of before PEP 440 are followed, and cost no more than themselves."""
        self.origin.add("a", "1.0", ["b>=1.0.*", "c (>=1.0<2.0)", "d!=1.0*", "e==what==ever",
                                     "f<=1.*"])
        for name in "bcdef":
            self.origin.add(name, "1.0")
            self.origin.add(name, "2.0", **{"requires-python": ">=3.5.*"})
        site = self.site(projects=["a"], keepNewest=1, environments=[LINUX])
        self.assertIn("e==what==ever", self.sync(site))
        with Server(site) as server:
            found = {name: server.files(name) for name in "bcdef"}
        self.assertEqual(found, {
            "b": ["b-2.0-py3-none-any.whl"], "c": ["c-1.0-py3-none-any.whl"],
            "d": ["d-2.0-py3-none-any.whl"], "e": None, "f": ["f-1.0-py3-none-any.whl"]})

    def test_what_has_nothing_any_more_is_not_believed(self):
        self.origin.add("a", "1.0")
        site = self.site(all=True)
        self.sync(site)
        a = self.origin.projects.pop("a")
        self.assertIn("nothing is taken away", self.sync(site, INCOMPLETE))
        self.origin.projects["a"] = a
        self.origin.touch("a")
        page = self.origin.page
        self.origin.page = lambda name: (origin.JSON, b'{"message": "who are you?"}')
        self.assertIn("it has no 'files'", self.sync(site, INCOMPLETE))
        self.origin.page = page
        self.sync(site)
        self.assertIn(("/simple/a/", 200), self.origin.asked)
        self.origin.listing = lambda: (origin.JSON, b'{"message": "who are you?"}')
        self.assertIn("it has no 'projects'", self.sync(site, INCOMPLETE))
        self.origin.listing = lambda: ("text/html", b"<html><body>Sign in</body></html>")
        self.assertIn("it is no list of projects", self.sync(site, INCOMPLETE))
        self.origin.listing = lambda: ("text/html", b'<html><a href="/login">Sign in</a></html>')
        self.assertIn("nothing is taken away", self.sync(site, INCOMPLETE))
        with Server(site) as server:
            self.assertEqual(server.files("a"), ["a-1.0-py3-none-any.whl"])

    def test_a_login_takes_nothing_away(self):
        """A page for people, with the status 200, where a page of a project or the list was."""
        login = b"<html><title>Sign in</title><form><a href=/help>Help</a></form></html>"
        self.origin.html = True
        self.origin.add("a", "1.0")
        self.origin.add("b-1", "1.0")
        site = self.site(projects=["a", "b-*"])
        self.sync(site)
        page, listing = self.origin.page, self.origin.listing
        self.origin.page = lambda name: ("text/html", login) if name == "a" else page(name)
        for _ in range(2):
            self.assertIn("missing: a: the index of a: it is no index", self.sync(site, INCOMPLETE))
        self.origin.page = page
        self.origin.listing = lambda: ("text/html", login)
        for _ in range(2):
            text = self.sync(site, INCOMPLETE)
            self.assertIn("the list of projects: it has not one of those", text)
        self.origin.listing = listing
        self.assertIn("unchanged", self.sync(site))
        with Server(site) as server:
            self.assertEqual(server.files("a"), ["a-1.0-py3-none-any.whl"])
            self.assertEqual(server.files("b-1"), ["b_1-1.0-py3-none-any.whl"])
        # What calls itself an index may have nothing any more.
        self.origin.page = lambda name: (
            ("text/html", b"<title>Links for a</title>") if name == "a" else page(name)
        )
        self.sync(site, INCOMPLETE)
        with Server(site) as server:
            self.assertEqual(server.files("a"), [])

    def test_a_login_is_not_kept_for_a_page(self):
        """Of a project that is new; its serial is the same afterwards."""
        self.origin.add("a-1", "1.0")
        page = self.origin.page
        self.origin.page = lambda name: ("text/html", b"<html><form></form></html>")
        site = self.site(projects=["a-*"])
        self.sync(site)
        self.origin.page = page
        self.sync(site)
        with Server(site) as server:
            self.assertEqual(server.files("a-1"), ["a_1-1.0-py3-none-any.whl"])

    def test_what_the_site_excludes_may_be_all_there_is(self):
        self.origin.add("a", "1.0")
        site = self.site(projects=["a"])
        for exclude, status in (("a==1.0", INCOMPLETE), ("a", 0)):
            site.configure(projects=["a"])
            self.sync(site)
            site.configure(projects=["a"], exclude=[exclude])
            for _ in range(2):
                self.sync(site, status)
            with Server(site) as server:
                self.assertFalse(server.files("a"))

    def test_a_page_that_is_no_index_does_not_keep_others_from_being_fetched(self):
        self.origin.add("a", "1.0")
        self.origin.add("b", "1.0")
        site = self.site(projects=["a", "b"], dependencies=False)
        page = self.origin.page
        other = {"meta": {"api-version": "2.0"}, "name": "a", "files": []}
        self.origin.page = lambda name: (
            (origin.JSON, json.dumps(other).encode()) if name == "a" else page(name)
        )
        self.assertIn("missing: a: the index of a", self.sync(site, INCOMPLETE))
        self.assertIn(("/files/b-1.0-py3-none-any.whl", 200), self.origin.asked)
        self.origin.page = page
        self.sync(site)
        with Server(site) as server:
            self.assertEqual(server.files("a"), ["a-1.0-py3-none-any.whl"])

    def test_what_the_index_does_not_vouch_for(self):
        self.origin.add("a", "1.0")
        site = self.site(projects=["a"])
        self.sync(site)
        row = self.origin.add("a", "2.0")
        self.origin.bytes[f"/files/{row['filename']}"] = b"x" * row["size"]
        self.assertIn("a-2.0", self.sync(site, INCOMPLETE))
        with Server(site) as server:
            self.assertEqual(server.files("a"), ["a-1.0-py3-none-any.whl"])
        self.origin.projects["a"].remove(row)
        row = self.origin.add("a", "2.1")
        self.origin.bytes[f"/files/{row['filename']}.metadata"] += b"more"
        self.assertIn("a-2.1-py3-none-any.whl.metadata", self.sync(site, INCOMPLETE))

    def test_other_hashes(self):
        """An index that has no SHA-256, and what its other hashes are held against."""
        row = self.origin.add("a", "1.0")
        path = f"/files/{row['filename']}"
        for kind in ("md5", "sha1", "sha512"):
            row["hashes"] = {kind: hashlib.new(kind, self.origin.bytes[path]).hexdigest()}
            site = self.site(projects=["a"])
            self.sync(site)
            with Server(site) as server:
                self.assertEqual(list(server.page("a")["files"][0]["hashes"]), ["sha256"])
            row["hashes"][kind] = row["hashes"][kind][::-1]
            site = self.site(projects=["a"])
            self.assertIn(f"hashes to {kind}=", self.sync(site, INCOMPLETE))
            self.assertIn((path, 200), self.origin.asked)
            # It was not kept.
            self.sync(site, INCOMPLETE)
            self.assertIn((path, 200), self.origin.asked)

    def test_a_wrong_hash_takes_nothing_from_others(self):
        """An index may say of another's bytes that they are something else."""
        row = self.origin.add("a", "1.0")
        self.origin.add("b", "1.0")
        site = self.site(projects=["a"])
        self.sync(site)
        other = self.origin.projects["b"][0]
        self.origin.bytes[f"/files/{other['filename']}"] = self.origin.bytes[
            f"/files/{row['filename']}"
        ]
        other.update({"hashes": {"md5": 32 * "0"}, "size": row["size"]})
        del other["core-metadata"]
        site.configure(projects=["a", "b"])
        self.assertIn("hashes to md5=", self.sync(site, INCOMPLETE))
        with Server(site) as server:
            path = f"packages/a/{row['filename']}"
            self.assertEqual(origin.sha256(server.get(path)), row["hashes"]["sha256"])

    def test_a_page_that_is_elsewhere(self):
        """URLs of a page are relative to where it is found, in later runs, too."""
        self.origin.add("a", "1.0")
        row = self.origin.add("a", "2.0")
        _, body = self.origin.page("a")
        for name in list(self.origin.bytes):
            self.origin.bytes["/else/b" + name] = self.origin.bytes.pop(name)
        self.origin.bytes["/else/b/simple/a/"] = body
        self.origin.moved["/simple/a/"] = "/else/b/simple/a/"
        path = f"/else/b/files/{row['filename']}"
        self.origin.absent.add(path)
        site = self.site(projects=["a"])
        self.sync(site, INCOMPLETE)
        self.origin.absent.clear()
        self.sync(site)
        self.assertIn(("/else/b/simple/a/", 304), self.origin.asked)
        self.assertIn((path, 200), self.origin.asked)
        with Server(site) as server:
            self.assertEqual(len(server.files("a")), 2)
        # And back again.
        for name in list(self.origin.bytes):
            self.origin.bytes[name.removeprefix("/else/b")] = self.origin.bytes.pop(name)
        self.origin.moved.clear()
        self.origin.add("a", "3.0")
        self.sync(site)
        with Server(site) as server:
            self.assertEqual(len(server.files("a")), 3)

    def test_quarantine(self):
        """Nothing of such a project is given, whatever its page lists (PEP 792)."""
        self.origin.add("a", "1.0")
        site = self.site(projects=["a"])
        self.sync(site)
        self.origin.statuses["a"] = {"status": "quarantined"}
        self.origin.touch("a")
        self.assertIn("a is in quarantine upstream", self.sync(site, INCOMPLETE))
        with Server(site) as server:
            self.assertEqual(server.page("a")["files"], [])
            self.assertEqual(server.page("a")["project-status"], {"status": "quarantined"})

    def test_a_file_that_is_not_there(self):
        """It is left out of the page, told each time, and asked for until it is there."""
        self.origin.add("a", "1.0")
        row = self.origin.add("a", "2.0")
        self.origin.add("b", "1.0")
        path = f"/files/{row['filename']}"
        self.origin.absent.add(path)
        site = self.site(projects=["a", "b"])
        said = self.sync(site, INCOMPLETE)
        self.assertIn("published as generation 1, 1 missing", said)
        self.assertIn("a-2.0-py3-none-any.whl: the upstream lists it, and does not have it", said)
        with Server(site) as server:
            self.assertEqual(server.files("a"), ["a-1.0-py3-none-any.whl"])
        self.assertIn("unchanged, 1 missing", self.sync(site, INCOMPLETE))
        self.assertIn((path, 404), self.origin.asked)
        self.origin.absent.clear()
        self.assertIn("published as generation 2", self.sync(site))
        with Server(site) as server:
            self.assertEqual(len(server.files("a")), 2)
        self.assertIn("unchanged", self.sync(site))
        # The upstream may be at writing it.
        row = self.origin.add("a", "3.0")
        self.origin.absent.add(f"/files/{row['filename']}")
        self.assertIn("nothing is taken away", self.sync(site, INCOMPLETE))
        self.assertIn("published as generation 3, 1 missing", self.sync(site, INCOMPLETE))

    def test_most_files_are_not_there(self):
        """That is a server that does not work: what was published stays."""
        self.origin.add("a", "1.0")
        site = self.site(projects=["a"])
        self.sync(site)
        self.origin.projects["a"].clear()
        for minor in range(4):
            row = self.origin.add("a", f"2.{minor}")
            self.origin.absent.add(f"/files/{row['filename']}")
        self.assertIn("nothing is taken away", self.sync(site, INCOMPLETE))
        with Server(site) as server:
            self.assertEqual(server.files("a"), ["a-1.0-py3-none-any.whl"])

    def test_metadata_that_is_not_there(self):
        row = self.origin.add("a", "1.0", ["b"])
        self.origin.add("b", "1.0")
        self.origin.absent.add(f"/files/{row['filename']}.metadata")
        site = self.site(projects=["a"])
        self.assertIn("offered and not there", self.sync(site))
        with Server(site) as server:
            self.assertEqual(server.files("b"), ["b-1.0-py3-none-any.whl"])
            # What the wheel itself has is offered instead.
            self.assertIn("core-metadata", server.page("a")["files"][0])

    def big(self, name, requires, members=1, **more):
        """A wheel that is worth looking into: without metadata beside it, and large."""
        rest = [(f"{name}/{i}", bytes(300_000 // members)) for i in range(members)]
        row = self.origin.add(name, "1.0", requires, offered=False, members=rest, **more)
        return f"/files/{row['filename']}"

    def asked_of(self, path):
        return [status for asked, status in self.origin.asked if asked == path]

    def test_metadata_by_range(self):
        a = self.big("a", ["b"])
        b = self.big("b", ["c"])
        self.origin.add("c", "1.0")
        site = self.site(projects=["a"])
        status, text = site.sync("--dry-run")
        self.assertEqual(status, 0, text)
        self.assertIn("py: 4 files", text)
        self.assertEqual(self.asked_of(a) + self.asked_of(b), [206, 206])
        self.assertLess(self.origin.sent, 2 * 70_000)
        self.sync(site)
        self.assertEqual(self.asked_of(a), [206, 200])
        with Server(site) as server:
            self.assertEqual(server.files("c"), ["c-1.0-py3-none-any.whl"])
            self.assertIn("core-metadata", server.page("a")["files"][0])
        self.assertIn("unchanged", self.sync(site))
        self.assertEqual(self.asked_of(a), [])

    def test_metadata_by_range_in_pieces(self):
        """A directory, and in front of it a member, that are not within the last bytes."""
        a = self.big("a", ["b"], members=2000)
        self.origin.add("b", "1.0")
        self.origin.html = True
        site = self.site(projects=["a"])
        self.assertEqual(site.sync("--dry-run")[0], 0)
        self.assertEqual(self.asked_of(a), [206, 206, 206])
        self.sync(site)
        with Server(site) as server:
            self.assertEqual(server.files("b"), ["b-1.0-py3-none-any.whl"])

    def test_metadata_by_range_that_is_offered_and_not_there(self):
        a = self.big("a", ["b"], **{"core-metadata": {"sha256": 64 * "0"}})
        self.origin.add("b", "1.0")
        site = self.site(projects=["a"])
        self.sync(site)
        self.assertEqual(self.asked_of(a), [206, 200])
        self.assertEqual(self.asked_of(a + ".metadata"), [404])
        with Server(site) as server:
            self.assertEqual(server.files("b"), ["b-1.0-py3-none-any.whl"])
            self.assertIn("core-metadata", server.page("a")["files"][0])

    def test_a_wheel_that_was_replaced(self):
        """By another one of the same name, as private indexes let one: it has other needs."""
        self.origin.html = True
        for options in ({}, {"dependencies": False}):
            for name in list(self.origin.projects):
                self.origin.remove(name)
            row = self.origin.add("a", "1.0", ["b"], offered=False)
            self.origin.add("b", "1.0", offered=False)
            self.origin.add("c", "1.0", offered=False)
            site = self.site(projects=["a"])
            self.sync(site)
            _, data, metadata = origin.make_wheel("a", "1.0", ["c"])
            self.origin.bytes[f"/files/{row['filename']}"] = data
            row["hashes"]["sha256"] = origin.sha256(data)
            site.configure(projects=["a"], **options)
            self.sync(site)
            path = f"packages/a/{row['filename']}"
            with Server(site) as server:
                self.assertEqual(server.get(path), data)
                if options:
                    self.assertNotIn("core-metadata", server.page("a")["files"][0])
                else:
                    self.assertEqual(server.get(path + ".metadata"), metadata)
                    self.assertEqual(server.files("c"), ["c-1.0-py3-none-any.whl"])

    def test_a_server_without_ranges(self):
        a = self.big("a", ["b"])
        b = self.big("b", [])
        self.origin.ranges = False
        site = self.site(projects=["a"])
        self.sync(site)
        self.assertEqual(self.asked_of(a), [200, 200])
        self.assertEqual(self.asked_of(b), [200])
        with Server(site) as server:
            self.assertEqual(server.files("b"), ["b-1.0-py3-none-any.whl"])

    def test_parts_that_are_not_of_the_file(self):
        """What the wheel says counts, and nothing that was planned without it."""
        a = self.big("a", ["real"])
        self.origin.add("real", "1.0")
        self.origin.add("fake", "1.0")
        rest = [("a/0", bytes(300_000))]
        _, other, _ = origin.make_wheel("a", "1.0", ["fake"], more=rest)
        self.assertEqual(len(other), len(self.origin.bytes[a]))
        self.origin.parts[a] = other
        site = self.site(projects=["a"])
        self.assertIn("is not what the upstream sent of it before", self.sync(site))
        with Server(site) as server:
            self.assertEqual(server.files("real"), ["real-1.0-py3-none-any.whl"])
            self.assertIsNone(server.files("fake"))
        self.assertIn("unchanged", self.sync(site))

    def test_parts_that_cannot_be_read(self):
        """Damaged, too short, of another length: the wheel is fetched whole."""
        self.origin.add("b", "1.0")
        for i, change in enumerate((
            lambda body: bytes(len(body)),
            lambda body: body[:-40] + bytes(40),
            lambda body: body[:-1],
            lambda body: body + b"x",
            lambda body: body[:30],
        )):
            path = self.big(f"a{i}", ["b"])
            self.origin.parts[path] = change(self.origin.bytes[path])
            site = self.site(projects=[f"a{i}"])
            self.sync(site)
            self.assertEqual(self.asked_of(path)[1:], [200], i)
            with Server(site) as server:
                self.assertEqual(server.files("b"), ["b-1.0-py3-none-any.whl"])

    def test_only_what_has_a_new_serial_is_asked_for(self):
        for i in range(30):
            self.origin.add(f"p-{i}", "1.0")
        site = self.site(projects=["p-*"], dependencies=False)
        self.sync(site)
        self.assertIn("unchanged", self.sync(site))
        self.assertEqual(self.origin.asked, [("/simple/", 304)])
        self.origin.add("p-7", "2.0")
        self.sync(site)
        pages = [path for path, _ in self.origin.asked if path.startswith("/simple/p")]
        self.assertEqual(pages, ["/simple/p-7/"])
        with Server(site) as server:
            self.assertEqual(len(server.files("p-7")), 2)
            self.assertEqual(len(server.files("p-8")), 1)
            projects = json.loads(server.get("simple/"))["projects"]
            self.assertEqual(len(projects), 30)
        self.origin.remove("p-9")
        self.sync(site)
        with Server(site) as server:
            self.assertIsNone(server.files("p-9"))
            self.assertEqual(len(json.loads(server.get("simple/"))["projects"]), 29)

    def test_list_without_serials_is_the_same_while_its_projects_change(self):
        self.origin.html = True
        self.origin.add("a", "1.0")
        self.origin.add("b", "1.0")
        site = self.site(all=True)
        self.sync(site)
        self.origin.add("a", "2.0")
        self.sync(site)
        self.assertIn(("/simple/", 304), self.origin.asked)
        with Server(site) as server:
            self.assertEqual(len(server.files("a")), 2)
        self.assertIn("unchanged", self.sync(site))

    def test_stale_page(self):
        self.origin.add("a", "1.0")
        site = self.site(all=True)
        self.sync(site)
        self.origin.add("a", "2.0")
        self.origin.page_serials["a"] = 1
        self.assertIn("older than the list", self.sync(site, INCOMPLETE))
        del self.origin.page_serials["a"]
        self.sync(site)
        with Server(site) as server:
            self.assertEqual(len(server.files("a")), 2)

    def test_html(self):
        self.origin.html = True
        self.origin.add("a", "1.0", ["b>=1"], **{"requires-python": ">=3.8,<4"})
        self.origin.add("b", "1.0", offered=False)
        site = self.site(projects=["a"], environments=[LINUX])
        self.sync(site)
        with Server(site) as server:
            row = server.page("a")["files"][0]
            self.assertEqual(row["requires-python"], ">=3.8,<4")
            self.assertEqual(row["size"], len(self.origin.bytes[f"/files/{row['filename']}"]))
            self.assertEqual(len(server.files("b")), 1)

    def test_rollback_is_undone(self):
        self.origin.add("a", "1.0")
        site = self.site(projects=["a"], dependencies=False)
        self.sync(site)
        self.origin.add("a", "2.0")
        self.sync(site)
        self.assertEqual(site.run("rollback", "1").returncode, 0)
        self.sync(site)
        with Server(site) as server:
            self.assertEqual(len(server.files("a")), 2)

    def test_exclude_and_constraints(self):
        self.origin.add("a", "1.0", ["b", "c"])
        self.origin.add("b", "1.0")
        self.origin.add("b", "2.0")
        self.origin.add("b", "3.0")
        self.origin.add("c", "1.0")
        site = self.site(projects=["a"])
        path = os.path.join(site.dir, "requirements.txt")
        with open(path, "w", encoding="utf-8") as file:
            file.write("a==1.0 \\\n  --hash=sha256:00\n-c more.txt # bounds\n")
        with open(os.path.join(site.dir, "more.txt"), "w", encoding="utf-8") as file:
            file.write("b<3\n")
        site.configure(requirements=[path], exclude=["C", "b==2.0"])
        self.assertIn("excluded", self.sync(site))
        with Server(site) as server:
            self.assertEqual(server.files("b"), ["b-1.0-py3-none-any.whl"])
            self.assertIsNone(server.files("c"))

    def test_constraints_of_some_environments(self):
        """As `uv pip compile --universal` writes them: one for each Python."""
        for version in ("1.0", "2.0", "3.0"):
            self.origin.add("a", version)
        site = self.site(projects=["a"])
        path = os.path.join(site.dir, "requirements.txt")
        with open(path, "wb") as file:
            file.write(b"\xef\xbb\xbf-c bounds.txt\r\n")
        with open(os.path.join(site.dir, "bounds.txt"), "w", encoding="utf-16") as file:
            file.write("a==1.0 ; python_full_version < '3.12'\n")
            file.write("a==2.0 ; python_full_version >= '3.12'\n")
        for environments, expected in (
            ([LINUX, WINDOWS], ["1.0", "2.0"]), ([LINUX], ["1.0"]), ([WINDOWS], ["2.0"]),
        ):
            site.configure(projects=["a"], requirements=[path], environments=environments)
            self.sync(site)
            with Server(site) as server:
                names = [f"a-{version}-py3-none-any.whl" for version in expected]
                self.assertEqual(server.files("a"), names)

    def test_what_cannot_be_had_is_told(self):
        self.origin.add("a", "1.0", ["gone>=1", "b>5"])
        self.origin.add("b", "1.0")
        site = self.site(projects=["a"], environments=[LINUX])
        text = self.sync(site)
        self.assertIn("a needs gone>=1, which the upstream does not have", text)
        self.assertIn("a needs b>5, of which no release can be installed", text)
        site.configure(projects=["a", "nowhere"])
        self.assertIn("nowhere", self.sync(site, INCOMPLETE))
        site.configure(projects=["a>1"])
        self.assertIn("no release can be installed", self.sync(site, INCOMPLETE))

    def test_conflicting_requirements_get_a_common_release(self):
        self.origin.add("a", "1.0", ["x>=1,!=1.9"])
        self.origin.add("b", "1.0", ["x<2"])
        for version in ("1.0", "1.8", "1.9", "2.0"):
            self.origin.add("x", version)
        site = self.site(projects=["a", "b"], keepNewest=1)
        self.sync(site)
        with Server(site) as server:
            self.assertIn("x-1.8-py3-none-any.whl", server.files("x"))

    def test_plan(self):
        self.origin.add("a", "1.0")
        site = self.site(projects=["a"], dependencies=False)
        status, text = site.sync("--dry-run")
        self.assertEqual(status, 0, text)
        self.assertIn("to fetch: 2", text)
        self.assertNotIn("/files/", str(self.origin.asked))

    def test_status_and_provenance(self):
        row = self.origin.add("a", "1.0")
        row["provenance"] = self.origin.url + "a-proof"
        self.origin.bytes["/simple/a-proof"] = b'{"version":1}'
        self.origin.statuses["a"] = {"status": "archived", "reason": "old & done"}
        site = self.site(projects=["a"])
        self.sync(site)
        with Server(site) as server:
            page = server.page("a")
            self.assertEqual(page["project-status"], {"status": "archived", "reason": "old & done"})
            self.assertEqual(page["versions"], ["1.0"])
            self.assertEqual(page["meta"], {"api-version": "1.4"})
            beside = page["files"][0]["provenance"].replace("../../", "")
            self.assertEqual(server.get(beside), b'{"version":1}')


if __name__ == "__main__":
    sandbox.in_memory()
    unittest.main(verbosity=1)
