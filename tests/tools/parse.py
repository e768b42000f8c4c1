"""parse.py LIST: reads every file of a list (NUL after each) by a strict parser of its format, and prints how many there were.

JSON must be UTF-8, without NaN or Infinity. Each line of a .csv has as many cells as the first, whose names differ."""
import collections
import csv
import io
import json
import os
import sys
import xml.etree.ElementTree


def refuse(name):
    raise ValueError(name)


def parse(path, ending):
    with open(path, "rb") as file:
        content = file.read()
    if ending == b".json":
        json.loads(content.decode("utf-8"), parse_constant=refuse)
    elif ending == b".svg":
        xml.etree.ElementTree.fromstring(content)
    elif ending == b".csv":
        rows = list(csv.reader(io.StringIO(content.decode("utf-8"), newline=""), strict=True))
        assert len({len(row) for row in rows}) == 1, "ragged"
        assert len(set(rows[0])) == len(rows[0]), "two columns have the same name"


seen, failed = collections.Counter(), False
with open(sys.argv[1], "rb") as names:
    for name in names.read().split(b"\0")[:-1]:
        kind = os.path.splitext(name)[1]
        seen[kind] += 1
        try:
            if not os.path.isdir(name):
                parse(name, kind)
        except Exception as error:
            failed = True
            print(ascii(name), repr(error))
print({kind.decode(): count for kind, count in seen.items()})
sys.exit(failed)
