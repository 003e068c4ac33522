# SPDX-License-Identifier: Apache-2.0
"""CPU time of an answer with 1, 2 and 4 servers of one store.

Servers that share nothing but files answer as many times as much as there are of them, once each
has a CPU.  Where there are not so many CPUs, what one answer costs must not grow.
"""

from concurrent.futures import ThreadPoolExecutor

from bench import peers, serving, tools
from harness import reservoir
from harness.world import World

COUNTS = (1, 2, 4)
CONNECTIONS = 32  # of all servers together
SECONDS = 2
MOST = 1.1  # times what an answer of one server alone costs
LOADS = ("small page, gzip", "large page, gzip", "small page, 304")


def start(world):
    """Return servers of one store that has been synced, as many as are measured at most."""
    hub, first = serving.own(world)
    servers = [first]
    for number in range(1, max(COUNTS)):
        replica = reservoir.Reservoir(world, f"replica-{number}")
        replica.store = hub.store
        replica.serve()
        peers.pin(replica.server.pid)
        servers.append(peers.Server(replica.name, replica.url + "/pypi/simple", "",
                                    pid=replica.server.pid))
    return servers


def load_of(server, name):
    """Return the URL and the headers of one of the loads."""
    return next(load[1:] for load in serving.loads(server) if load[0] == name)


def measure_load(servers, name):
    """Put a load to all of the servers at once; return CPU seconds of 1,000 answers."""
    loads = [load_of(server, name) for server in servers]
    before = sum(tools.cpu_time(server.pid) for server in servers)
    with ThreadPoolExecutor(len(servers)) as pool:
        done = list(pool.map(lambda load: tools.Load(*load, seconds=SECONDS,
                                                     connections=CONNECTIONS // len(servers)),
                             loads))
    spent = sum(tools.cpu_time(server.pid) for server in servers) - before
    return spent / sum(each.answers for each in done) * 1000


def measure(report, runs):
    with World("replicas") as world:
        serving.fill(world)
        servers = start(world)
        found = {name: {count: tools.Series() for count in COUNTS} for name in LOADS}
        for _ in range(runs):
            for name, row in found.items():
                for count, series in row.items():
                    series.add(measure_load(servers[:count], name))
    rows = report.table("CPU seconds of 1,000 answers by servers of one store",
                        [f"{count} server{'s' * (count > 1)}" for count in COUNTS])
    rows += [(name, [series.text("{:.4f}") for series in row.values()])
             for name, row in found.items()]
    worst = max(row[max(COUNTS)].median / row[1].median for row in found.values())
    report.target(f"T18: an answer by one of {max(COUNTS)} replicas takes <= {MOST} x the CPU time "
                  "of one by a server alone", worst <= MOST, f"{worst:.2f} x")
    report.note(f"Replicas: {max(COUNTS)} servers with a thread each on the same store, all on CPU "
                f"{tools.cpus()[1]}; 1, 2 or {max(COUNTS)} of them have {CONNECTIONS} connections "
                "together, by a wrk for each. It is the CPU time of an answer that is held "
                "against the target of growing as replicas do, not how many there are a second: "
                "that takes a CPU for each, and more for those who ask.")
