"""Reports: a table on stdout, a picture by gnuplot, and a list in JSON."""

import json
import shutil
import subprocess


def duration(seconds):
    for unit, factor in (("s", 1), ("ms", 1e3), ("us", 1e6)):
        if seconds * factor >= 1 or unit == "us":
            return f"{seconds * factor:.{2 if seconds * factor < 100 else 1}f} {unit}"


def print_limits(limits):
    for limit in limits:
        print(f"{limit['threads']} thread{'s' * (limit['threads'] > 1)}, {limit['instructions']}: "
              f"{limit['operations_per_second'] * 1e-9:.1f} GFLOP/s; GB/s read, written, copied: " +
              "; ".join(f"{level['level']} " + ", ".join(
                  f"{level[kind + '_bytes_per_second'] * 1e-9:.0f}" for kind in ("read", "write", "copy"))
                        for level in limit["memory"]))


def print_table(rows, what, notes):
    """One block for each workload and number of threads, the fastest first."""
    for threads, workload in dict.fromkeys((row["threads"], row["workload"]) for row in rows):
        block = [row for row in rows if (row["threads"], row["workload"]) == (threads, workload)]
        block.sort(key=lambda row: row["median_seconds"])
        ours = [row for row in block if row["name"] == "Recurve"]
        print(f"\n{workload}, {threads} thread{'s' * (threads > 1)}: {what.get(workload, '')}")
        print(f"  {'':31}{'median':>12}{'best':>12}{'x limit':>9}{'x Recurve':>11}  loss")
        for row in block:
            ratio = row["median_seconds"] / ours[0]["median_seconds"] if ours else float("nan")
            loss = f"{row['loss']:.7g}" if row["loss"] is not None else row["note"]
            print(f"  {row['name']:31}{duration(row['median_seconds']):>12}"
                  f"{duration(row['best_seconds']):>12}{row['ratio_to_limit']:9.2f}{ratio:11.2f}  {loss}")
    if notes:
        print("\nnot in the table:")
    for (name, why), workloads in notes.items():
        print(f"  {name}{' on ' * bool(workloads)}{', '.join(workloads)}: {why}")


def print_markdown(rows, what):
    """The tables of docs/speed.md, of training steps and of forward passes by each number of threads: Recurve, how many times as
    fast as on one thread, and how many times as long the fastest peers take, by medians and by best times. PyTorch has several
    ways to compute the same."""
    alone = {row["workload"]: row for row in rows if row["name"] == "Recurve" and row["threads"] == 1}

    def ratios(slow, fast):
        return ", ".join(f"{slow[kind] / fast[kind]:.{2 if slow[kind] < 10 * fast[kind] else 0}f}"
                         for kind in ("median_seconds", "best_seconds"))

    def fastest(block, ours, named):
        peers = [row for row in block if row is not ours and row["name"].startswith(named)]
        if not peers:
            return ""
        row = min(peers, key=lambda row: row["median_seconds"])
        return f"{row['name'] if not named else ''} {ratios(row, ours)} x".strip()

    tables = {}
    for row in rows:
        key = row["threads"], row["workload"].endswith("-forward")
        tables.setdefault(key, {}).setdefault(row["workload"], []).append(row)
    for (threads, forward), table in sorted(tables.items()):
        heads = [f"{'forward' if forward else 'training'}, {threads} thread{'s' * (threads > 1)}"]
        heads += [""] * (not forward) + ["median", "best", "x limit"] + ["gain"] * (threads > 1)
        heads += ["fastest peer", "fastest PyTorch"]
        print("\n| " + " | ".join(heads) + " |\n" + "|---" * len(heads) + "|")
        for workload, block in table.items():
            ours = next((row for row in block if row["name"] == "Recurve"), None)
            if not ours:
                continue
            cells = [workload.removesuffix("-forward")] + [what.get(workload, "")] * (not forward)
            cells += [duration(ours["median_seconds"]), duration(ours["best_seconds"]), f"{ours['ratio_to_limit']:.2f}"]
            if threads > 1:
                cells.append(ratios(alone[workload], ours) if workload in alone else "")
            cells += [fastest(block, ours, ""), fastest(block, ours, "PyTorch")]
            print("| " + " | ".join(cells) + " |")


def print_programs(rows):
    """Properties of Recurve's programs other than their time. "/ alive": the arena by the memory alive at once."""
    ours = [row for row in rows if "arena_bytes" in row]
    if not ours:
        return
    print(f"\nRecurve's programs{'':4}{'instructions':>13}{'arena KiB':>11}{'/ alive':>9}{'allocations':>13}"
          f"{'record + compile':>18}")
    for row in {row["workload"]: row for row in ours}.values():
        compiled = duration(row["compile_seconds"]) if "compile_seconds" in row else ""
        print(f"  {row['workload']:20}{row['instructions']:13}{row['arena_bytes'] / 1024:11.0f}"
              f"{row['arena_bytes'] / max(row['live_bytes'], 1):9.3f}{row['allocations_per_step']:13}"
              f"{compiled:>18}")


def print_levels(levels):
    """Median times over the limit of the same vectors: {level: {(workload, threads): row}}."""
    print(f"{'x limit':16}{'threads':>8}" + "".join(f"{level:>16}" for level in levels))
    for workload, threads in next(iter(levels.values())):
        ratios = (rows[workload, threads]["ratio_to_limit"] for rows in levels.values())
        print(f"{workload:16}{threads:8}" + "".join(f"{ratio:16.2f}" for ratio in ratios))


def write_json(rows, path):
    with open(path, "w") as file:
        json.dump(rows, file, indent=1)
        file.write("\n")


# ---- the picture: time over the limit, a column for each workload, a colour for each name ----

COLOURS = ["#d62728", "#1f77b4", "#2ca02c", "#9467bd", "#8c564b", "#e377c2", "#7f7f7f", "#bcbd22",
           "#17becf", "#ff7f0e", "#000080", "#006400"]


def quoted(text):
    return '"' + text.replace('"', "'") + '"'


def plot(rows, path):
    """Draws a PNG or SVG, by the extension of the path; False if gnuplot is missing."""
    gnuplot = shutil.which("gnuplot")
    if not gnuplot or not rows:
        return False
    names = list(dict.fromkeys(row["name"] for row in rows))
    counts = list(dict.fromkeys(row["threads"] for row in rows))
    size = f"size 1100,{420 * len(counts)}"
    terminal = f"pngcairo {size} font 'sans,9'" if path.endswith(".png") else \
        f"svg {size} font 'sans,11' background 'white'"
    lines = [f"set terminal {terminal}", f"set output {quoted(path)}",
             f"set multiplot layout {len(counts)},1", "set logscale y",
             "set ylabel 'median time / limit'", "set grid ytics", "set key outside right Left reverse",
             "set format y '%g'", "set yrange [0.4:*]"]
    for threads in counts:
        workloads = list(dict.fromkeys(row["workload"] for row in rows if row["threads"] == threads))
        ticks = ", ".join(f"{quoted(name)} {i}" for i, name in enumerate(workloads))
        lines += [f"set title '{threads} thread{'s' * (threads > 1)}: nearer to 1 is better'",
                  f"set xtics ({ticks}) rotate by -30", f"set xrange [-0.6:{len(workloads) - 0.4}]"]
        drawn, data = ["1 with lines dashtype 2 linecolor 'black' title 'limit'"], []
        for name in sorted(names, key=lambda name: name == "Recurve"):  # drawn last, on top
            points = [f"{workloads.index(row['workload'])} {row['ratio_to_limit']:g}" for row in rows
                      if row["threads"] == threads and row["name"] == name]
            if not points:
                continue
            kind = names.index(name)
            mark = "pointtype 7 pointsize 1.6" if name == "Recurve" else \
                f"pointtype {(1, 2, 4, 5, 6, 8, 9, 10, 12, 13, 14)[kind % 11]} pointsize 1.1"
            drawn.append(f"'-' with points {mark} linecolor rgb '{COLOURS[kind % len(COLOURS)]}' "
                         f"title {quoted(name)}")
            data += points + ["e"]
        lines += ["plot " + ", ".join(drawn)] + data
    made = subprocess.run([gnuplot], input="\n".join(lines) + "\n", text=True, capture_output=True)
    if made.returncode:
        raise RuntimeError("gnuplot: " + made.stderr.strip())
    return True
