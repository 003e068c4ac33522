#!/usr/bin/env -S python3 -B
# SPDX-License-Identifier: Apache-2.0
"""Thousands of versions, specifiers, markers, requirements and wheels: what reservoir/pypi
says of them is what Python's own packaging says.  Usage: oracle.py PROGRAM"""

import itertools
import random
import re
import subprocess
import sys

try:
    from packaging import markers, requirements, specifiers, tags, utils, version
except ImportError:
    try:
        from pip._vendor.packaging import markers, requirements, specifiers, tags, utils, version
    except ImportError:
        print("there is no packaging to compare with")
        sys.exit(77)

VARIABLES = (
    "python_version",
    "python_full_version",
    "os_name",
    "sys_platform",
    "platform_machine",
    "platform_python_implementation",
    "platform_release",
    "platform_system",
    "platform_version",
    "implementation_name",
    "implementation_version",
    "extra",
)
ENVIRONMENT = dict(
    zip(
        VARIABLES,
        (
            "3.11",
            "3.11.4",
            "posix",
            "linux",
            "x86_64",
            "CPython",
            "6.1.0",
            "Linux",
            "#1 SMP 2023",
            "cpython",
            "3.11.4",
            "some-extra",
        ),
    )
)
PARTS = {
    "epoch": ("", "", "", "1!", "0!", "2!"),
    "release": ("0", "1", "1.0", "1.0.0", "1.1", "1.2.3", "2", "10.0", "2012.10", "1.01", "1.0.1"),
    "pre": ("", "", "", "a1", "b2", "rc1", ".alpha3", "-beta", "c0", "_pre2", "rc", "a-1", "a."),
    "post": ("", "", "", ".post1", "-1", "post", ".rev2", "-r3", ".post0", "_post.4"),
    "dev": ("", "", "", ".dev0", "dev3", "-dev", ".dev12"),
    "local": ("", "", "", "+abc", "+ubuntu.1", "+1.2", "+1-A", "+01", "+1.abc", "+10", "+a.b_c"),
    "tail": ("", "", "", "", "", "", "", " ", "x", ".", "+", "!", "..1", ".*"),
}
OPERATORS = ("==", "!=", "<=", ">=", "<", ">", "~=", "===")


def make_version(rng):
    prefix = rng.choice(("", "", "", "", "v", "V", " "))
    return prefix + "".join(rng.choice(choices) for choices in PARTS.values())


def good_version(rng):
    while True:
        text = make_version(rng)
        try:
            version.Version(text)
            return text
        except version.InvalidVersion:
            continue


def sign(number):
    return (number > 0) - (number < 0)


def say(function, *refusals):
    try:
        return function()
    except refusals:
        return "invalid"


def same_base(bound, candidate):
    try:
        return version.Version(bound).base_version == version.Version(candidate).base_version
    except version.InvalidVersion:
        return False


def versions(rng):
    for _ in range(6000):
        text = make_version(rng)

        def answer(text=text):
            parsed = version.Version(text)
            return f"{parsed} {int(parsed.is_prerelease)}"

        yield f"version\t{text}", say(answer, version.InvalidVersion)


def orders(rng):
    for _ in range(6000):
        a, b = good_version(rng), good_version(rng)
        left, right = version.Version(a), version.Version(b)
        yield f"compare\t{a}\t{b}", str(sign((left > right) - (left < right)))


def matches(rng):
    for _ in range(12000):
        count = rng.choice((1, 1, 1, 2, 3))
        spec = ",".join(
            rng.choice(OPERATORS) + rng.choice(("", " ")) + make_version(rng).strip()
            for _ in range(count)
        )
        if rng.random() < 0.2:
            spec = rng.choice(("==", "!=")) + rng.choice(PARTS["release"]) + ".*"
        candidate = good_version(rng)

        def answer(spec=spec, candidate=candidate):
            parsed = specifiers.SpecifierSet(spec)
            return str(int(parsed.contains(version.Version(candidate), prereleases=True)))

        # What ">1.0a1" takes of 1.0 itself was settled late: not all packagings agree.
        bounds = [part.strip()[1:] for part in spec.split(",") if part.strip()[:1] in "<>"]
        if any(same_base(bound.strip(" ="), candidate) for bound in bounds):
            continue
        yield f"match\t{spec}\t{candidate}", say(answer, specifiers.InvalidSpecifier)


def odd_versions(rng):
    """Zeros, large numbers, everything at once and next to nothing."""
    numbers = ("0", "00", "1", "01", "007", "10", "9999999999", "20240229123456")
    for _ in range(4000):
        count = rng.choice((1, 2, 3, 5, 8, 12))
        text = rng.choice(("", "v", "1!", "00!", "v2!"))
        text += ".".join(rng.choice(numbers) for _ in range(count))
        text += rng.choice(("", "a", "A", "rc", "C", "Preview", "-alpha", "_BETA."))
        text += rng.choice(("", *numbers))
        text += rng.choice(("", "-", "-0", ".POST", "post_", "-rev-", "r"))
        text += rng.choice(("", *numbers))
        text += rng.choice(("", ".DEV", "dev-", "_dev"))
        text += rng.choice(("", *numbers))
        text += rng.choice(("", "+0", "+00.A", "+a-0b_1", "+", "+a..b", "+a.", "+1.1.1", "+\u00e9"))
        if re.search(r"\d{20}", text) or len(text) >= 128:
            continue  # beyond 64 bits, which uv refuses, too; or longer than any

        def answer(text=text):
            parsed = version.Version(text)
            return f"{parsed} {int(parsed.is_prerelease)}"

        yield f"version\t{text}", say(answer, version.InvalidVersion)


def close_matches(rng):
    """Bounds and versions that differ little: what pre-releases, repairs and locals mean."""
    tails = ("", "a0", "a1", "rc1", ".dev0", "a1.dev1", ".post0", ".post1", ".post1.dev2")
    tails += ("a1.post2",)
    bases = ("1.0", "1", "1.0.0", "1.0.1", "1.1", "0!1.0", "1!1.0")
    locals_ = ("", "", "", "+x", "+x.1", "+1", "+01", "+X")
    for _ in range(12000):
        bound = rng.choice(bases) + rng.choice(tails)
        candidate = rng.choice(bases) + rng.choice(tails) + rng.choice(locals_)
        operator = rng.choice(OPERATORS)
        if operator in ("==", "!=", "==="):
            bound += rng.choice(locals_)
        if operator in ("==", "!=") and rng.random() < 0.3:
            bound = rng.choice(bases) + ".*"
        settled_late = operator == ">" or (operator == "<" and "post" in bound)
        if settled_late and same_base(bound, candidate):
            continue  # as above; test_version.c has what it is now

        def answer(spec=operator + bound, candidate=candidate):
            parsed = specifiers.SpecifierSet(spec)
            return str(int(parsed.contains(version.Version(candidate), prereleases=True)))

        yield f"match\t{operator}{bound}\t{candidate}", say(answer, specifiers.InvalidSpecifier)


def file_names(rng):
    """What the files of a project are called."""
    projects = ("a", "a-b", "A.B", "a_b", "0a")
    versions_ = ("1.0", "1.0+x.1", "1.0_1", "v1", "1.0.post1", "x", "1!2", "")
    builds = ("", "-1", "-1a", "-a1", "-", "-1-2")
    tags_ = ("py3-none-any", "py2.py3-none-any", "cp311-abi3-win32", "py3-none", "py3--any")
    for parts in itertools.product(projects, versions_, builds, tags_):
        if rng.random() > 0.5:
            continue
        project, number, build, tag = parts
        if build and tag.count("-") < 2:
            continue  # tags that no installer has
        name = f"{project}-{number}{build}-{tag}.whl"

        def answer(name=name):
            found = utils.parse_wheel_filename(name)
            return f"{found[0]} {found[1]}"

        yield f"file\t{name}", say(answer, utils.InvalidWheelFilename)
    for project, number, ending in itertools.product(
        projects, versions_, (".tar.gz", ".zip", ".tgz", ".tar.gz.asc", "")
    ):
        name = f"{project}-{number}{ending}"

        def answer(name=name):
            found = utils.parse_sdist_filename(name)
            return f"{found[0]} {found[1]}"

        if ending != ".tgz":  # pip takes it, and packaging does not
            yield f"file\t{name}", say(answer, utils.InvalidSdistFilename)


def make_comparison(rng):
    name = rng.choice(VARIABLES)
    if name == "extra":
        return f"extra == '{rng.choice(('some-extra', 'Some_Extra', 'other'))}'"
    version_like = name in ("python_version", "python_full_version", "implementation_version")
    operator = rng.choice(("==", "!=", "<=", ">=", "<", ">", "in", "not in"))
    if version_like:
        operand = rng.choice(("3.8", "3.11", "3.11.4", "3.12", "2.7", "3.11.5", "4.0"))
        if operator in ("in", "not in"):
            operand = rng.choice(("2.7 3.11", "3.6, 3.7", "3.11.4"))
    else:
        # A release that is no version is compared as one by some packagings.
        others = ("6.2", "5.0") if name == "platform_release" else ("win32", "nt")
        operand = rng.choice((ENVIRONMENT[name], *others))
        operator = rng.choice(("==", "!=", "in", "not in"))
    quote = rng.choice("'\"")
    if rng.random() < 0.1 and not operator.endswith("in"):
        return f"{quote}{operand}{quote} {operator} {name}" if operand else f"{name}=='x'"
    return f"{name} {operator} {quote}{operand}{quote}"


def make_marker(rng, depth=0):
    if depth > 3 or rng.random() < 0.5:
        return make_comparison(rng)
    left, right = make_marker(rng, depth + 1), make_marker(rng, depth + 1)
    text = f"{left} {rng.choice(('and', 'or'))} {right}"
    return f"({text})" if rng.random() < 0.4 else text


def all_markers(rng):
    values = "\t".join(ENVIRONMENT[name] for name in VARIABLES)
    for _ in range(4000):
        text = make_marker(rng)
        if rng.random() < 0.05:
            text = text[: rng.randrange(len(text))]

        def answer(text=text):
            return str(int(markers.Marker(text).evaluate(ENVIRONMENT)))

        # What is compared as a version and is none is an error there, and a text here.
        try:
            expected = say(answer, markers.InvalidMarker)
        except (version.InvalidVersion, markers.UndefinedComparison):
            continue
        yield f"marker\t{text}\t{values}", expected


def all_requirements(rng):
    names = ("requests", "A", "zope.interface", "a-b_c", "x1", "-a", "a-", "")
    extras = ("", "[x]", "[x,y.z]", "[]", " [a , b]", "[a,]", "[-]")
    specs = ("", ">=1", "(>=1,<2)", "~=1.4.2", "==1.*", " != 1.3 , <2", "<>1", "@ http://a/b", "=1")
    tails = ("", ";os_name=='nt'", " ; extra == \"x\"", ";", "; python_version>='3'", " x")
    for parts in itertools.product(names, extras, specs, tails):
        text = "".join(parts)
        if "@" in text and ";" in text:
            text = text.replace(";", " ;")

        def answer(text=text):
            parsed = requirements.Requirement(text)
            return " ".join(
                (
                    utils.canonicalize_name(parsed.name),
                    str(len(parsed.extras)),
                    str(len(parsed.specifier)),
                    str(int(parsed.url is not None)),
                    str(int(parsed.marker is not None)),
                )
            )

        yield f"requirement\t{text}", say(answer, requirements.InvalidRequirement)


def linux_platforms(minor, machine):
    names = [f"manylinux_2_{n}_{machine}" for n in range(minor, 4, -1)]
    old = {17: "manylinux2014", 12: "manylinux2010", 5: "manylinux1"}
    return names + [f"{old[n]}_{machine}" for n in old if n <= minor] + [f"linux_{machine}"]


def environments():
    platforms = {
        "manylinux_2_28_x86_64": linux_platforms(28, "x86_64"),
        "manylinux_2_17_aarch64": linux_platforms(17, "aarch64"),
        "musllinux_1_2_x86_64": ["musllinux_1_2_x86_64", "musllinux_1_1_x86_64", "linux_x86_64"],
        "win_amd64": ["win_amd64"],
        "win32": ["win32"],
        "manylinux_2_31_armv7l": [
            f"manylinux_2_{n}_armv7l" for n in range(31, 16, -1)
        ]
        + ["manylinux2014_armv7l", "linux_armv7l"],
        "macosx_10_15_x86_64": list(tags.mac_platforms((10, 15), "x86_64")),
        "macosx_11_0_arm64": list(tags.mac_platforms((11, 0), "arm64")),
        "macosx_12_0_x86_64": list(tags.mac_platforms((12, 0), "x86_64")),
        "macosx_14_0_arm64": list(tags.mac_platforms((14, 0), "arm64")),
    }
    for minor in (7, 8, 11, 13):
        for platform, names in platforms.items():
            abis = [f"cp3{minor}"] + ([f"cp3{minor}m"] if minor < 8 else [])
            supported = set(tags.cpython_tags((3, minor), abis=abis, platforms=names))
            supported |= set(
                tags.compatible_tags((3, minor), interpreter=f"cp3{minor}", platforms=names)
            )
            yield f"3.{minor}", platform, supported


def wheels(rng):
    pythons = ("py3", "py2.py3", "cp311", "cp38", "cp37", "cp313", "py2", "cp36", "py38", "py312")
    pythons += ("CP311", "Py3", "cp37.cp38.cp311", "cp3", "pp39", "cp30", "cp32", "py313", "py30")
    abis = ("none", "abi3", "cp311", "cp38", "cp37m", "cp313", "cp313t", "abi3.cp311")
    abis += ("None", "ABI3", "cp38m", "cp311d", "none.abi3")
    platforms = (
        "any",
        "win_amd64",
        "win32",
        "win_arm64",
        "linux_x86_64",
        "manylinux1_x86_64",
        "manylinux2010_x86_64.manylinux_2_12_x86_64",
        "manylinux2014_aarch64",
        "manylinux_2_28_x86_64",
        "manylinux_2_34_x86_64",
        "manylinux_2_17_i686",
        "musllinux_1_1_x86_64",
        "musllinux_1_3_x86_64",
        "macosx_10_9_x86_64",
        "macosx_10_9_universal2",
        "macosx_11_0_arm64",
        "macosx_12_0_arm64",
        "macosx_13_0_x86_64",
        "macosx_10_6_intel",
        "macosx_11_1_arm64",
        "macosx_10_9_arm64",
        "macosx_10_16_x86_64",
        "macosx_10_12_universal2",
        "macosx_10_9_x86_64.macosx_11_0_arm64.macosx_10_9_universal2",
        "macosx_14_0_arm64",
        "macosx_11_3_universal2",
        "manylinux_2_17_x86_64.manylinux2014_x86_64.musllinux_1_1_x86_64",
        "manylinux2014_armv7l",
        "manylinux_2_35_armv7l",
        "musllinux_1_2_armv7l",
        "Any",
        "WIN_AMD64",
        "manylinux_3_1_x86_64",
    )
    for python, platform, supported in environments():
        for parts in itertools.product(pythons, abis, platforms):
            if rng.random() > 0.25:
                continue
            build = rng.choice(("", "-1", "-2b"))
            name = f"some_pkg-1.0{build}-{'-'.join(parts)}.whl"
            fits = bool(utils.parse_wheel_filename(name)[3] & supported)
            yield f"wheel\t{name}\t{python}\t{platform}\tcpython", str(int(fits))


def main():
    rng = random.Random(20240229)
    makers = (versions, odd_versions, orders, matches, close_matches, all_markers)
    makers += (all_requirements, file_names, wheels)
    cases = [case for maker in makers for case in maker(rng)]
    questions = "".join(f"{question}\n" for question, _ in cases)
    done = subprocess.run(
        sys.argv[1:], input=questions, capture_output=True, text=True, check=True, timeout=120
    )
    answers = done.stdout.splitlines()
    wrong = [
        f"{question!r}: {answer!r} instead of {expected!r}"
        for (question, expected), answer in zip(cases, answers)
        if answer != expected
    ]
    print("\n".join(wrong[:40]))
    print(f"{len(cases)} questions, {len(answers)} answers, {len(wrong)} of them wrong")
    sys.exit(1 if wrong or len(answers) != len(cases) else 0)


main()
