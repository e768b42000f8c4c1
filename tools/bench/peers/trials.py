"""What the peers of `bench --trials` share. A trial trains the net of a workload from its first parameters for so many
updates of Adam; trial i has the rate RATE (1 + i % 8). Arguments: HOW FOLDER WORKLOAD UPDATES COUNT WIDTH, where WIDTH trials
are trained at once. Prints the seconds of the first call, those of a trial in the later ones, and the mean losses of all
updates."""

import json
import os
import sys
import time

from common import Workload

RATES = 8


def main(prepare):
    """prepare(w, updates, width) returns a function of a list of rates that returns the mean losses."""
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # whatever a library prints goes to stderr
    folder, name = sys.argv[2:4]
    updates, count, width = map(int, sys.argv[4:7])
    w = Workload(folder, name)
    start = time.perf_counter()
    train = prepare(w, updates, width)
    rates = [w.rate * (1 + i % RATES) for i in range(count)]
    train(rates[:width])
    first = time.perf_counter() - start
    start, losses = time.perf_counter(), []
    for i in range(0, count, width):
        losses += [float(loss) for loss in train(rates[i:i + width])]
    seconds = (time.perf_counter() - start) / count
    print(json.dumps({"first": first, "seconds": seconds, "losses": losses}), file=answers)
