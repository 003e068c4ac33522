# SPDX-License-Identifier: Apache-2.0
"""What is fetched a second time when a sync is killed again and again."""

import os
import random
import time

from bench import syncing, tools

KILLS = 4            # of each program, before it may end
AFTER = (0.4, 0.9)   # seconds
IN_FLIGHT = 1 << 20  # bytes of a transfer that were sent and not read, at most
# A kill finds large files in the middle, and little lies in buffers.
KILLED = (0, -9, 137)  # of who ended before it, or did not
SLOWLY = ("limit_rate 4m; log_format bytes '$body_bytes_sent $sent_http_content_length'; "
          "access_log {dir}/bytes.log bytes;")


class Origin(tools.Nginx):
    """Counts the bytes of bodies, and the transfers that were cut."""

    def sent(self):
        """Return both since the last time."""
        time.sleep(1)  # the end of what was cut is logged late
        with open(os.path.join(self.dir, "bytes.log"), "r+", encoding="ascii") as file:
            rows = [line.split() for line in file]
            file.truncate(0)
        pairs = [(int(sent), int(length) if length.isdigit() else 0) for sent, length in rows]
        return sum(sent for sent, _ in pairs), sum(sent < length for sent, length in pairs)


def killed(mirror):
    """Sync with kills in between, to the end."""
    mirror.prepare()
    for _ in range(KILLS):
        after = f"{random.uniform(*AFTER):.2f}"
        mirror.run(["timeout", "-s", "KILL", after, *mirror.words()], allowed=KILLED)
    mirror.sync()
    if mirror.count() < syncing.SMALL + syncing.LARGE:
        raise RuntimeError(f"{mirror.name} is not complete after kills")


def measure(folder, gpg, report):
    made = syncing.build(folder, gpg)
    origin = Origin(folder, made.root, http=SLOWLY, name="slow-origin")
    rows = report.table(f"A sync that is killed {KILLS} times", ["bytes", "once more", "ratio"])
    for kind in (syncing.ReservoirMirror, syncing.Aptly, syncing.AptMirror):
        if tools.has(*kind.needs):
            report.part(f"killed {kind.name}",
                        lambda kind=kind: row(kind(folder, made, origin), origin, rows, report))
    origin.stop()
    report.note(f"The kills: SIGKILL {AFTER[0]} to {AFTER[1]} s after the start of a sync, "
                f"{KILLS} times, then one sync to the end, from an origin with 4 MB/s for each "
                "transfer; compared is what the origin sent with what it sends to one sync "
                "without a kill.")


def row(mirror, origin, rows, report):
    origin.sent()
    mirror.prepare()
    mirror.sync()
    whole, _ = origin.sent()
    killed(mirror)
    sent, cut = origin.sent()
    more = max(sent - whole, 0)
    rows.append((mirror.name, [f"{whole:,}", f"{more:,}", f"{more / whole:.3f}"]))
    if mirror.name == "reservoir":
        most = cut * IN_FLIGHT
        report.target("T4: fetched again after kill -9 <= what was in flight", more <= most,
                      f"{more:,} bytes, {more / whole:.3f} x; {cut} transfers cut")
