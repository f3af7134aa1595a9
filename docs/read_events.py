"""Reads the events of a segment of a pagetrail log: Python 3, standard library only. The bytes are described in events.md.

decode_segment(data, kinds) gives dicts as JSON Lines have them. `data`: the uncompressed bytes of a segment; `kinds`: the
descriptors in the log's table `descriptors` (dicts with kind, code, version, fields). Damaged bytes raise an exception."""

from itertools import accumulate


class Input:
    def __init__(self, data):
        self.data, self.at = data, 0

    def take(self, count):
        self.at += count
        assert self.at <= len(self.data), "the bytes end too early"
        return self.data[self.at - count : self.at]

    def uint(self):
        byte = self.take(1)[0]
        return byte if byte < 128 else (byte & 127) | self.uint() << 7

    def int(self):
        return (value := self.uint()) >> 1 ^ -(value & 1)

    def column(self, count, signed=False):
        form, values = self.uint() if count else 0, []
        while len(values) < count:
            item = self.int() if signed or form & 2 else self.uint()
            values += [item] * ((self.uint() or count - len(values)) if form & 1 else 1)
        return list(accumulate(values)) if form & 2 else values


def field(data, kind, rows, texts):
    if kind == "bytes":
        return [data.take(length).hex() for length in data.column(rows)]
    first = data.column(rows, kind == "int")
    if kind in ("address", "word"):
        bits, form = (12, "0x%016x") if kind == "address" else (32, "0x%x")
        return [form % (high << bits | low) for high, low in zip(first, data.column(rows))]
    return [texts[n] if kind == "text" else "0x%016x" % (n << 12) if kind == "page" else n for n in first]


def call_lines(data, shapes, texts):
    ways = iter(data.column(sum(shape["count"] for shape in shapes)))
    near = iter(data.column(data.uint(), True))
    far = iter([int.from_bytes(data.take(8), "little") for _ in range(data.uint())])
    own, recent = iter(data.column(sum(shape["count"] for shape in shapes if shape["with_texts"]))), []
    for shape in shapes:
        values = {}
        for k, (value, way) in enumerate(shape["slots"]):
            way = next(ways) or way
            value = value if way == 1 else value + next(near) if way == 2 else next(far) if way == 3 else recent[3 - way]
            shape["slots"][k] = value, way
            recent.append(value)
            text = next(own) if shape["with_texts"] else 0
            name = (shape["names"] + [""] * (k + 1))[k]
            values[name if name and name not in values else "#%d" % k] = texts[text - 1] if text else "0x%x" % value
        yield values


def decode_segment(data, kinds):
    data = Input(data)
    form, explicit, first, count = data.uint(), data.uint(), data.uint(), data.uint()
    assert form == 1
    texts = [data.take(data.uint()).decode("utf-8", "surrogatepass") for _ in range(data.uint())]
    known = {(kind["code"], kind["version"]): kind for kind in kinds}
    present = {code: known[code, data.uint()] for code in (data.uint() for _ in range(data.uint()))}
    shapes, numbers, follows = [], [None], {}
    for _ in range(data.uint()):
        shapes.append({"kind": present[data.uint()], "texts": {}})
        shape, fields = shapes[-1], shapes[-1]["kind"]["fields"]
        if any(f["type"] == "words" for f in fields):
            shape["texts"] = {f["name"]: texts[data.uint()] for f in fields if f["type"] == "text"}
            shape.update(count=data.uint(), with_texts=data.uint(), names=shape["texts"].pop("names").split(","))
            shape["slots"] = [(0, 1)] * shape["count"]
    for item in data.column(count):
        follows[numbers[-1]] = item - 1 if item else follows[numbers[-1]]
        numbers.append(follows[numbers[-1]])
    shapes = [shapes[number] for number in numbers[1:]]
    seqs = data.column(count) if explicit else range(first, first + count)
    start, unit = data.uint(), data.uint()
    times = list(accumulate((step * unit for step in data.column(count - 1, True)), initial=start))
    cpus, tasks, origins = data.column(count), data.column(count), data.column(count)
    pairs = [(data.uint(), data.int()) for _ in range(data.uint())]
    away, calls, running = dict(zip(accumulate(gap for gap, _ in pairs), (own for _, own in pairs))), [], {}
    for i, (seq, task, shape) in enumerate(zip(seqs, tasks, shapes)):
        calls.append(seq - away[i] if i in away else running.get(task, 0))
        outer = calls[calls[i] - first] if not explicit and first <= calls[i] <= first + i else 0
        running[task] = {1: seq, 2: outer}.get(shape["kind"]["code"], calls[i])
    lines, columns = call_lines(Input(data.take(data.uint())), [s for s in shapes if "slots" in s], texts), {}
    for code, kind in present.items():
        block, rows = Input(data.take(data.uint())), sum(shape["kind"] is kind for shape in shapes)
        skip = ("text", "words") if any(f["type"] == "words" for f in kind["fields"]) else ()
        own = ((f["name"], f["type"]) for f in kind["fields"] if f["type"] not in skip)
        columns[code] = {name: iter(field(block, type_, rows, texts)) for name, type_ in own}
    for i, shape in enumerate(shapes):
        event = {"seq": seqs[i], "time_ns": str(times[i]), "cpu": cpus[i], "task": texts[tasks[i]], "call": calls[i]}
        event.update(origin=("observed", "derived", "assumed")[origins[i]], kind=shape["kind"]["kind"], **shape["texts"])
        event.update({"values": next(lines)} if "slots" in shape else {})
        yield {**event, **{name: next(column) for name, column in columns[shape["kind"]["code"]].items()}}
