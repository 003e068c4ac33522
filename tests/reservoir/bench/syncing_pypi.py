# SPDX-License-Identifier: Apache-2.0
"""Syncs of one Python package index from a local origin, beside bandersnatch."""

import json
import os
import shutil

from bench import tools
from harness import reservoir
from harness.archive import PypiIndex

PROJECTS, FILE_BYTES = 500, 20_000
SERIAL = 1000  # of every project: nginx says the same of each page
SERVER = """index index.json; add_header X-PyPI-Last-Serial %d;
    location ~ /json$ { default_type application/json; add_header X-PyPI-Last-Serial %d; }
""" % (SERIAL, SERIAL)


def build(folder, origin):
    """Write the index as files: what the reservoir reads, and what bandersnatch does."""
    index = PypiIndex()
    root = folder.folder("pypi-origin")
    for number in range(PROJECTS):
        index.add(f"project-{number}", payload=FILE_BYTES)
    index.serial = SERIAL
    index.serials = dict.fromkeys(index.projects, SERIAL)
    tools.write_index(folder, index, root)
    for name, files in index.projects.items():
        urls = [{"filename": file["filename"], "url": f"{origin.url}/packages/{file['filename']}",
                 "size": file["size"], "packagetype": "bdist_wheel", "yanked": False,
                 "requires_python": "", "upload_time_iso_8601": file["upload-time"],
                 "digests": {"sha256": file["hashes"]["sha256"], "md5": ""}}
                for _, file in files]
        folder.write(f"{root}/pypi/{name}/json", json.dumps({
            "info": {"name": name, "version": "1.0"}, "last_serial": SERIAL, "urls": urls,
            "releases": {"1.0": urls}}))
    os.symlink("files", f"{root}/packages")  # bandersnatch takes files of no other folder
    return index


class Own:
    name = "reservoir"

    def __init__(self, folder, origin):
        self.folder, self.origin = folder, origin
        self.hub = reservoir.Reservoir(folder, "pypi-own")

    def prepare(self):
        shutil.rmtree(self.hub.store, ignore_errors=True)
        self.hub.init()
        row = reservoir.pypi("pypi", self.origin.url + "/simple/", [], all=True,
                             dependencies=False)
        del row["pypi"]["projects"]
        self.hub.configure([row])

    def sync(self):
        return tools.Run([reservoir.program(), "sync", "--store", self.hub.store,
                          "--no-progress"], env=self.hub.env, cwd=self.folder.path)

    def count(self):
        return PROJECTS if self.hub.generation() else 0


class Bandersnatch:
    name = "bandersnatch"

    def __init__(self, folder, origin, programs):
        self.folder, self.programs = folder, programs
        self.dir = os.path.join(folder.path, "bandersnatch")
        self.config = folder.write("bandersnatch.conf", f"""[mirror]
directory = {self.dir}
master = {origin.url}
api-method = simple
allow-non-https = true
timeout = 10
workers = 10
hash-index = false
stop-on-error = false
json = false
compare-method = hash
verifiers = 3
""")

    def prepare(self):
        shutil.rmtree(self.dir, ignore_errors=True)

    def sync(self):
        return tools.Run([f"{self.programs}/bandersnatch", "-c", self.config, "mirror"],
                         env={**os.environ, "HOME": self.folder.path}, cwd=self.folder.path)

    def count(self):
        return sum(name.endswith(".whl") for _, _, names in os.walk(self.dir) for name in names)


def measure(folder, programs, report, runs):
    origin = tools.Nginx(folder, folder.folder("pypi-origin"), server=SERVER, name="pypi-nginx")
    build(folder, origin)
    mirrors = [Own(folder, origin)]
    if programs and os.path.exists(f"{programs}/bandersnatch"):
        mirrors.append(Bandersnatch(folder, origin, programs))
    times = {mirror.name: (tools.Series(), tools.Series()) for mirror in mirrors}
    memory = dict.fromkeys(times, 0)
    for _ in range(runs):
        for mirror in mirrors:
            mirror.prepare()
            done = mirror.sync()
            if mirror.count() != PROJECTS:
                raise RuntimeError(f"{mirror.name} has {mirror.count()} files of {PROJECTS}:\n"
                                   f"{done.output[-2000:]}")
            times[mirror.name][0].add(done.seconds)
            memory[mirror.name] = max(memory[mirror.name], done.memory)
            times[mirror.name][1].add(mirror.sync().seconds)
    rows = report.table("Sync of a Python package index", list(times))
    rows.append((f"cold, {PROJECTS} projects, s", [t[0].text("{:.2f}") for t in times.values()]))
    rows.append(("nothing new, s", [t[1].text("{:.2f}") for t in times.values()]))
    rows.append(("most memory, MB", [f"{m / 1e6:.0f}" for m in memory.values()]))
    report.note(f"The Python index: {PROJECTS} projects with one wheel of {FILE_BYTES // 1000} KB "
                "each, every project asked for; bandersnatch 6 by the simple API, with 10 "
                "workers.")
    origin.stop()
