"""Compares measurements with a baseline, by ratio. See scripts/regression.

    regression.py baseline PEERS LIGHT OUT     makes a baseline of one try
    regression.py compare BASELINE DIR TRY     of each figure, the best of tries 1 to TRY; exit status 1 if one is worse
    regression.py self-test
"""

import json
import math
import os
import sys
import tempfile

# The least that a figure may change by chance.
LEAST_NOISE = 0.25
# However much the rounds differ: what takes twice as long in three tries is worse.
MOST_NOISE = 1.0
# A load test of half a minute is less steady than a benchmark.
LOAD_NOISE = 1.0
SPREADS = 3.0
# Latencies of the load test that the disk does not decide.
KINDS = ["research_query", "deduplication"]


def geometric(values):
    return math.exp(sum(math.log(value) for value in values) / len(values))


def figures(peers, light):
    """Each figure: larger is worse, and the machine cancels out. With its noise."""
    made = {}
    yardsticks = []
    workloads = {}
    for line in peers["results"]:
        if line.get("ns_per_op"):
            workloads.setdefault(line["workload"], {})[line["system"]] = line
    for workload, systems in workloads.items():
        ours = systems.get("statim")
        others = [line for system, line in systems.items() if system != "statim"]
        if not ours or not others:
            continue
        base = geometric([line["ns_per_op"] for line in others])
        spread = max(line.get("spread") or 0.0 for line in [ours, *others])
        noise = min(max(LEAST_NOISE, SPREADS * spread), MOST_NOISE)
        made[f"{workload} over its peers"] = {"value": ours["ns_per_op"] / base, "noise": noise}
        yardsticks.append(base)
    if not yardsticks:
        raise SystemExit("the benchmark has no workload with peers: nothing can be compared")
    yardstick = geometric(yardsticks) / 1e6
    for kind in KINDS:
        p50 = light["results"]["by_kind"][kind]["percentiles"]["p50"]
        made[f"light load, {kind} p50 over the yardstick"] = {"value": p50 / yardstick, "noise": LOAD_NOISE}
    return made


def failures(light):
    failed = [it["expression"] for it in light["thresholds"] if not it["passed"]]
    if not light["generator"]["passed"]:
        failed.append("generator lag")
    return failed


def read(path):
    with open(path, encoding="utf-8") as file:
        return json.load(file)


def compare(baseline, tries):
    """The lines of a report, and whether nothing is worse. A figure is its best of all tries."""
    best, lines, good = {}, [], True
    for peers, light in tries:
        for name, figure in figures(peers, light).items():
            if name not in best or figure["value"] < best[name]["value"]:
                best[name] = figure
    failed = set.intersection(*[set(failures(light)) for _, light in tries])
    for name, was in sorted(baseline["figures"].items()):
        now = best.get(name)
        if now is None:
            lines.append(f"GONE    {name}: it was measured for the baseline and is not now")
            good = False
            continue
        change = now["value"] / was["value"]
        noise = min(max(was["noise"], now["noise"]), MOST_NOISE)
        worse, better = change > 1 + noise, change < 1 / (1 + noise)
        verdict = "WORSE" if worse else "better" if better else "same"
        good = good and not worse
        lines.append(f"{verdict:<7} {name}: x{change:.2f} (noise {noise:.0%})")
    for name in sorted(set(best) - set(baseline["figures"])):
        lines.append(f"new     {name}: {best[name]['value']:.3f}; --update takes it into the baseline")
    for expression in sorted(failed):
        lines.append(f"FAILED  light load: {expression}")
        good = False
    return lines, good


def make_baseline(peers, light, path):
    if failures(light):
        raise SystemExit(f"the light load test has not passed ({', '.join(failures(light))}): no baseline is made of it")
    made = {"machine": peers["machine"], "figures": figures(peers, light)}
    folder = os.path.dirname(path) or "."
    with tempfile.NamedTemporaryFile("w", dir=folder, delete=False, encoding="utf-8") as file:
        json.dump(made, file, indent=1, sort_keys=True)
        file.write("\n")
    os.replace(file.name, path)
    print(f"{path}: {len(made['figures'])} figures")


def self_test():
    def peers(ours, theirs=100.0, spread=0.02):
        lines = [("statim", ours), ("tokio", theirs), ("actix", theirs * 2)]
        return {
            "machine": {},
            "results": [
                {"workload": "tell", "system": system, "ns_per_op": time, "spread": spread} for system, time in lines
            ],
        }

    def light(p50=1.0, passed=True):
        kind = {"percentiles": {"p50": p50}}
        return {
            "results": {"by_kind": {name: kind for name in KINDS}},
            "thresholds": [{"expression": "avg < 1s", "passed": passed}],
            "generator": {"passed": True},
        }

    base = {"figures": figures(peers(50.0), light())}

    def good(*tries):
        return compare(base, list(tries))[1]

    checks = {
        "the same is the same": good((peers(50.0), light())),
        "a machine of half the speed is the same": good((peers(100.0, 200.0), light(2.0))),
        "a tenth slower is noise": good((peers(55.0), light())),
        "half slower is not": not good((peers(75.0), light())),
        "a noisy machine may be that": good((peers(75.0, spread=0.3), light())),
        "a slower load test is seen": not good((peers(50.0), light(2.5))),
        "one good try is enough": good((peers(75.0), light()), (peers(50.0), light())),
        "three bad ones are not": not good((peers(75.0), light()), (peers(80.0), light()), (peers(75.0), light())),
        "a threshold that fails in every try is seen": not good((peers(50.0), light(passed=False))),
        "a workload that is gone is seen": not compare({"figures": {**base["figures"], "ask over its peers": {"value": 1, "noise": 1}}}, [(peers(50.0), light())])[1],
    }
    for name, passed in checks.items():
        print(f"{'ok' if passed else 'FAILED':<7} {name}")
    return all(checks.values())


def main(arguments):
    match arguments:
        case ["baseline", peers, light, out]:
            make_baseline(read(peers), read(light), out)
        case ["compare", baseline, folder, last]:
            tries = [
                (read(f"{folder}/peers-{number}.json"), read(f"{folder}/light-{number}.json"))
                for number in range(1, int(last) + 1)
            ]
            lines, good = compare(read(baseline), tries)
            print("\n".join(lines))
            return 0 if good else 1
        case ["self-test"]:
            return 0 if self_test() else 1
        case _:
            print(__doc__, file=sys.stderr)
            return 2
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
