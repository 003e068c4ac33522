# SPDX-License-Identifier: Apache-2.0
"""Packages made from nothing, the same bytes each time: wheels, sdists and debs.

Sources: PEP 427, PEP 517, PEP 643, deb(5), ar(5)
"""

import base64
import gzip
import hashlib
import io
import random
import tarfile
import zipfile

BACKEND = '''\
import base64, hashlib, zipfile
NAME, VERSION, METADATA = {name!r}, {version!r}, {metadata!r}
def get_requires_for_build_wheel(config_settings=None):
    return []
def build_wheel(directory, config_settings=None, metadata_directory=None):
    file = f"{{NAME}}-{{VERSION}}-py3-none-any.whl"
    info = f"{{NAME}}-{{VERSION}}.dist-info"
    parts = {{f"{{NAME}}/__init__.py": open(f"{{NAME}}/__init__.py").read(),
             f"{{info}}/METADATA": METADATA,
             f"{{info}}/WHEEL": "Wheel-Version: 1.0\\nGenerator: own\\nRoot-Is-Purelib: true\\n"
                               "Tag: py3-none-any\\n"}}
    record = ""
    with zipfile.ZipFile(f"{{directory}}/{{file}}", "w") as out:
        for path, text in parts.items():
            out.writestr(path, text)
            record += f"{{path}},,\\n"
        out.writestr(f"{{info}}/RECORD", record + f"{{info}}/RECORD,,\\n")
    return file
'''
WHEN = (2024, 1, 1, 0, 0, 0)
WHEN_SECONDS = 1704067200


def sha256(data):
    return hashlib.sha256(data).hexdigest()


def noise(seed, size):
    """Return bytes that do not compress, the same for a seed."""
    return random.Random(seed).randbytes(size)


def metadata(name, version, requires=(), python=None):
    lines = ["Metadata-Version: 2.1", f"Name: {name}", f"Version: {version}"]
    if python:
        lines.append(f"Requires-Python: {python}")
    lines += [f"Requires-Dist: {requirement}" for requirement in requires]
    return "\n".join(lines) + "\n"


def module(name):
    return name.replace("-", "_").replace(".", "_").lower()


def wheel(name, version, requires=(), python=None, tag="py3-none-any", payload=0):
    """Return the name of a wheel's file, its bytes and those of its METADATA."""
    stem = f"{module(name)}-{version}"
    meta = metadata(name, version, requires, python)
    parts = {f"{module(name)}/__init__.py": f'VERSION = "{version}"\n'.encode(),
             f"{stem}.dist-info/METADATA": meta.encode(),
             f"{stem}.dist-info/WHEEL": ("Wheel-Version: 1.0\nGenerator: own\n"
                                         f"Root-Is-Purelib: true\nTag: {tag}\n").encode()}
    if payload:
        parts[f"{module(name)}/payload.bin"] = noise(stem, payload)
    record = io.StringIO()
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as out:
        for path, data in parts.items():
            out.writestr(zipfile.ZipInfo(path, WHEN), data)
            digest = base64.urlsafe_b64encode(hashlib.sha256(data).digest()).decode().rstrip("=")
            record.write(f"{path},sha256={digest},{len(data)}\n")
        record.write(f"{stem}.dist-info/RECORD,,\n")
        out.writestr(zipfile.ZipInfo(f"{stem}.dist-info/RECORD", WHEN), record.getvalue())
    return f"{stem}-{tag}.whl", buffer.getvalue(), meta.encode()


def tar(parts, mode=tarfile.PAX_FORMAT):
    """Return a tar of {path: (bytes, mode)}."""
    buffer = io.BytesIO()
    folders = set()
    with tarfile.open(fileobj=buffer, mode="w", format=mode) as out:
        for path, (data, bits) in parts.items():
            at = path.find("/", 2)
            while at >= 0:
                folder = path[:at]
                if folder not in folders:
                    folders.add(folder)
                    info = tarfile.TarInfo(folder + "/")
                    info.type, info.mode, info.mtime = tarfile.DIRTYPE, 0o755, WHEN_SECONDS
                    out.addfile(info)
                at = path.find("/", at + 1)
            info = tarfile.TarInfo(path)
            info.size, info.mode, info.mtime = len(data), bits, WHEN_SECONDS
            out.addfile(info, io.BytesIO(data))
    return buffer.getvalue()


def sdist(name, version, requires=(), python=None):
    """Return the name of an sdist's file and its bytes; it builds without other packages."""
    stem = f"{module(name)}-{version}"
    meta = metadata(name, version, requires, python)
    backend = BACKEND.format(name=module(name), version=version, metadata=meta)
    project = ('[build-system]\nrequires = []\nbuild-backend = "own_backend"\n'
               'backend-path = ["."]\n')
    parts = {f"{stem}/PKG-INFO": meta, f"{stem}/pyproject.toml": project,
             f"{stem}/own_backend.py": backend,
             f"{stem}/{module(name)}/__init__.py": f'VERSION = "{version}"\n'}
    data = tar({path: (text.encode(), 0o644) for path, text in parts.items()})
    return f"{stem}.tar.gz", gzip.compress(data, 9, mtime=0)


def ar(members):
    """Return an ar archive of [(name, bytes)]."""
    out = [b"!<arch>\n"]
    for name, data in members:
        out.append(b"%-16s%-12d%-6d%-6d%-8s%-10d`\n" % (name.encode(), WHEN_SECONDS, 0, 0,
                                                        b"100644", len(data)))
        out.append(data + b"\n" * (len(data) % 2))
    return b"".join(out)


def deb(name, version, architecture="all", depends="", payload=0, **fields):
    """Return the stanza of a deb without its Filename, and its bytes."""
    control = {"Package": name, "Version": version, "Architecture": architecture,
               "Maintainer": "Nobody <nobody@example.org>", "Section": "misc",
               "Priority": "optional", "Installed-Size": str(1 + payload // 1024)}
    if depends:
        control["Depends"] = depends
    control.update({key.replace("_", "-"): value for key, value in fields.items()})
    control["Description"] = f"package {name} of a test\n Made from nothing."
    text = "".join(f"{key}: {value}\n" for key, value in control.items())
    files = {f"./usr/share/{name}/version": (f"{version}\n".encode(), 0o644)}
    if payload:
        files[f"./usr/share/{name}/payload"] = (noise(name + version, payload), 0o644)
    data = ar([("debian-binary", b"2.0\n"),
               ("control.tar.gz", gzip.compress(tar({"./control": (text.encode(), 0o644)},
                                                    tarfile.GNU_FORMAT), 9, mtime=0)),
               ("data.tar.gz", gzip.compress(tar(files, tarfile.GNU_FORMAT), 1, mtime=0))])
    return text, data
