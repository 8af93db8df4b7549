"""Writers of the formats, written from the format descriptions and independently of the readers.

They pack value by value with `struct`, so that a reader that shared a misunderstanding with numpy would show.
"""

import struct


def section(n_samples, n_traces, low, high, seed=0):
    """Integers without structure that a wrong stride, offset or byte order cannot reproduce: rows of samples."""
    state = seed * 7919 + 12345
    rows = []
    for _ in range(n_samples):
        row = []
        for _ in range(n_traces):
            state = (1103515245 * state + 12345) % 2**31
            row.append(low + (state >> 7) % (high - low + 1))
        rows.append(row)
    return rows


def dzt(path, channels, bits=16, *, range_ns=10.0, scans_per_m=50.0, position=-1.0, rh_data=None, marks=()):
    """Write channels (lists of rows) as a DZT; samples 0 and 1 of each trace become counter and mark."""
    n_samples, n_traces, n = len(channels[0]), len(channels[0][0]), len(channels)
    head = b""
    for c in range(n):
        h = bytearray(1024)
        struct.pack_into("<H", h, 0, 0x00FF + 16 * c)
        struct.pack_into("<H", h, 2, 1024 if rh_data is None else rh_data)
        struct.pack_into("<H", h, 4, n_samples)
        struct.pack_into("<H", h, 6, bits)
        struct.pack_into("<h", h, 8, 0)
        struct.pack_into("<fffff", h, 10, 100.0, scans_per_m, 1.0, position, range_ns)
        struct.pack_into("<H", h, 52, n)
        struct.pack_into("<f", h, 54, 6.25)
        h[98:112] = f"ANT{c}".encode().ljust(14, b"\0")
        head += bytes(h)
    if rh_data is not None and rh_data < 1024:
        head = head.ljust(1024 * rh_data, b"\xaa")[: 1024 * rh_data]
    body = []
    code, shift = {8: ("<B", 128), 16: ("<H", 32768), 32: ("<i", 0)}[bits]
    for t in range(n_traces):
        for rows in channels:
            for s in range(n_samples):
                if s == 0:
                    value = t % 200
                elif s == 1:
                    value = 100 if t in marks else 0
                else:
                    value = rows[s][t] + shift
                body.append(struct.pack(code, value))
    path.write_bytes(head + b"".join(body))


def dt1(path, rows, *, floats=False, dt_ns=0.8, step=0.05, start=1.0, point=3.0, unit="m", header=True):
    n_samples, n_traces = len(rows), len(rows[0])
    out = []
    for t in range(n_traces):
        h = [0.0] * 25
        h[0], h[1], h[2], h[5], h[6], h[7] = t + 1, start + t * step, n_samples, 4 if floats else 2, dt_ns * 1000, 8
        out.append(struct.pack("<25f", *h) + b"\0" * 28)
        out.append(struct.pack(f"<{n_samples}{'f' if floats else 'h'}", *[rows[s][t] for s in range(n_samples)]))
    path.write_bytes(b"".join(out))
    if header:
        lines = [
            "1234",
            "Data Collected with a test",
            "2024-01-29",
            f"NUMBER OF TRACES   = {n_traces}",
            f"NUMBER OF PTS/TRC  = {n_samples}",
            f"TIMEZERO AT POINT  = {point}",
            f"TOTAL TIME WINDOW  = {n_samples * dt_ns}",
            f"STARTING POSITION  = {start}",
            f"FINAL POSITION     = {start + (n_traces - 1) * step}",
            f"STEP SIZE USED     = {step}",
            f"POSITION UNITS     = {unit}",
            "NOMINAL FREQUENCY  = 100.00",
            "ANTENNA SEPARATION = 1.0",
        ]
        path.with_suffix(".HD").write_bytes("\r\n".join(lines).encode())


def mala(path, rows, *, frequency_mhz=2500.0, interval=0.02):
    n_samples, n_traces = len(rows), len(rows[0])
    code = "i" if path.suffix == ".rd7" else "h"
    path.write_bytes(
        b"".join(struct.pack(f"<{n_samples}{code}", *[rows[s][t] for s in range(n_samples)]) for t in range(n_traces))
    )
    lines = [
        f"SAMPLES:{n_samples}",
        f"FREQUENCY:{frequency_mhz}",
        "FREQUENCY STEPS:1",
        "SIGNAL POSITION:0.0",
        f"DISTANCE INTERVAL:{interval}",
        "ANTENNAS:500 MHz shielded",
        "ANTENNA SEPARATION:0.18",
        f"TIMEWINDOW:{1000 * n_samples / frequency_mhz}",
        f"LAST TRACE:{n_traces}",
    ]
    path.with_suffix(".rad").write_bytes("\r\n".join(lines).encode())


def ibm(value):
    """One IBM System/360 single, by the definition: sign, exponent of 16 in excess 64, 24-bit fraction."""
    if value == 0:
        return b"\0\0\0\0"
    sign, value = (0x80, -value) if value < 0 else (0, value)
    exponent = 0
    while value >= 1:
        value, exponent = value / 16, exponent + 1
    while value < 1 / 16:
        value, exponent = value * 16, exponent - 1
    fraction = round(value * 2**24)
    return bytes([sign | (exponent + 64)]) + fraction.to_bytes(3, "big")


def segy(path, rows, code=3, *, interval=100, order=">", extended=0, spacing_cm=0):
    n_samples, n_traces = len(rows), len(rows[0])
    binary = bytearray(400)
    struct.pack_into(order + "h", binary, 12, n_traces)
    struct.pack_into(order + "H", binary, 16, interval)
    struct.pack_into(order + "H", binary, 20, n_samples)
    struct.pack_into(order + "h", binary, 24, code)
    struct.pack_into(order + "H", binary, 300, 0x0100)
    struct.pack_into(order + "h", binary, 302, 1)
    struct.pack_into(order + "h", binary, 304, extended)
    out = [b"C 1 SYNTHETIC".ljust(3200), bytes(binary), b" " * 3200 * extended]
    for t in range(n_traces):
        h = bytearray(240)
        struct.pack_into(order + "i", h, 0, t + 1)
        struct.pack_into(order + "h", h, 28, 1)
        struct.pack_into(order + "h", h, 70, -100)
        struct.pack_into(order + "i", h, 72, t * spacing_cm)
        struct.pack_into(order + "h", h, 88, 1)
        struct.pack_into(order + "H", h, 114, n_samples)
        struct.pack_into(order + "H", h, 116, interval)
        out.append(bytes(h))
        for s in range(n_samples):
            value = rows[s][t]
            out.append(ibm(value) if code == 1 else struct.pack(order + {2: "i", 3: "h", 5: "f", 8: "b"}[code], value))
    path.write_bytes(b"".join(out))
