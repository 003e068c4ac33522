# SPDX-License-Identifier: Apache-2.0
"""What the checks share: the files of the tree, and how findings are told."""

import argparse
import os
import re
import sys

# Folders that hold no sources of ours, relative to the root.
SKIPPED = {".git", "build", "tests/lint/selftest"}


def parse_root(doc):
    """Return the directory that a check was asked to look at."""
    here = os.path.dirname(os.path.abspath(__file__))
    parser = argparse.ArgumentParser(description=doc)
    parser.add_argument("--root", default=os.path.join(here, "..", ".."), help="tree to check")
    return os.path.normpath(parser.parse_args().root)


def files(root, *suffixes):
    """Yield the paths below root, relative to it, that end in one of the suffixes."""
    for folder, subfolders, names in os.walk(root):
        relative = os.path.relpath(folder, root)
        prefix = "" if relative == "." else relative + "/"
        subfolders[:] = sorted(d for d in subfolders if prefix + d not in SKIPPED)
        for name in sorted(names):
            if name.endswith(suffixes):
                yield prefix + name


def read(root, path):
    with open(os.path.join(root, path), encoding="utf-8", errors="surrogateescape") as file:
        return file.read()


def blank_comments(text, strings=False):
    """Replace C comments (and the contents of strings) by spaces, keeping every line."""
    pattern = r'/\*.*?\*/|//[^\n]*|"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])*\''

    def blank(match):
        token = match.group(0)
        if token[0] in "\"'" and not strings:
            return token
        return re.sub(r"[^\n]", " ", token)

    return re.sub(pattern, blank, text, flags=re.DOTALL)


def line_of(text, offset):
    return text.count("\n", 0, offset) + 1


def finish(findings):
    """Print findings, (path, line, text) each, and exit: 0 when there is none."""
    for path, line, text in sorted(findings):
        print(f"{path}:{line}: {text}")
    sys.exit(1 if findings else 0)
