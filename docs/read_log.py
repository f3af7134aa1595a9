"""Reads a pagetrail log without pagetrail: Python 3, standard library only. The file is described in log-format.md.

python3 read_log.py FILE         checks the chain of every trace; a line each: name, events, segments, root, state
python3 read_log.py FILE TRACE   events of a trace, one JSON object a line (read_events.py decodes them)
exit code 0: every chain is whole; 1: damage; 2: no such log or trace"""

import hashlib
import json
import sqlite3
import struct
import sys
import zlib


sys.dont_write_bytecode = True
BAD = (TypeError, ValueError, LookupError, zlib.error, struct.error, sqlite3.Error)


class Damaged(Exception):
    pass


def sha256(*parts):
    return hashlib.sha256(b"".join(parts)).digest()


def counted(text):
    return struct.pack("<Q", len(text.encode())) + text.encode()


def restored(codec, size, data):
    data = {0: bytes, 1: lambda packed: zlib.decompress(packed, -15)}[codec](data)
    if len(data) != size:
        raise ValueError("its bytes have another length")
    return data


def genesis_root(db, trace):
    row = db.execute("SELECT name, meta, root, size, codec, genesis FROM traces WHERE id = ?", (trace,))
    try:
        name, meta, root, size, codec, data = row.fetchone()
        if sha256(b"pagetrail/genesis/1\n", counted(name), counted(meta), restored(codec, size, data)) == root:
            return root
    except BAD as why:
        raise Damaged("its genesis: %s" % why)
    raise Damaged("its genesis differs")


def segments(db, trace, head):
    """Canonical bytes of each segment, checked, as far as the head says; Damaged before the first bad one."""
    root, events = genesis_root(db, trace), 0
    for index in range(head[0]):
        row = db.execute("SELECT first, count, hash, size, codec, bytes FROM segments WHERE id = ?", (trace * 2**32 + index,))
        try:
            first, count, stored, size, codec, data = row.fetchone()
            data = restored(codec, size, data)
            root = sha256(b"pagetrail/segment/1\n", root, struct.pack("<QI", first, count), data)
        except BAD as why:
            raise Damaged("segment %d: %s" % (index, why))
        if first != events + 1 or root != stored:
            raise Damaged("segment %d, from event %d: its number or hash differs" % (index, events + 1))
        events += count
        yield data
    if (events, root) != head[1:]:
        raise Damaged("the file says that it ends with event %d, root %s" % (head[1], head[2].hex()))


def main(file, wanted=None):
    db = sqlite3.connect("file:%s?mode=ro" % file.replace("?", "%3f").replace("#", "%23"), uri=True)
    if [db.execute("PRAGMA " + name).fetchone()[0] for name in ("application_id", "user_version")] != [0x7074726C, 2]:
        raise sqlite3.DatabaseError("not a log of schema version 2")
    traces = [row for row in db.execute("SELECT id, name FROM traces ORDER BY id") if wanted in (None, row[1])]
    state = "whole"
    for trace, name in traces:
        head = db.execute("SELECT segments, events, root FROM heads WHERE trace = ?", (trace,)).fetchone()
        try:
            for data in segments(db, trace, head):
                if wanted is not None:
                    from read_events import decode_segment
                    kinds = [json.loads(row[0]) for row in db.execute("SELECT descriptor FROM descriptors")]
                    for event in decode_segment(data, kinds):
                        print(json.dumps(event))
            own = "whole"
        except Damaged as why:
            own = state = str(why)
        if wanted is None:
            print(name, head[1], head[0], head[2].hex(), own, sep="\t")
        elif own != "whole":
            print(own, file=sys.stderr)
    return 2 if wanted is not None and not traces else state != "whole"


if __name__ == "__main__":
    try:
        sys.exit(main(*sys.argv[1:]))
    except (sqlite3.Error, TypeError) as error:
        print("%s: %s" % (sys.argv[1:], error), file=sys.stderr)
        sys.exit(2)
