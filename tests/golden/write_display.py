"""Write the golden files of the radar display chain: what the page's own chain must reproduce.

Each file of ``display/`` holds one small section, row after row (null where a value is not finite), and what
`al_widgets.features.gpr_processing` makes of it: every step alone, and whole recipes. Run after a change of the chain::

    python tests/golden/write_display.py
"""

import json
from pathlib import Path

import numpy as np

from al_widgets.features import gpr_processing as gpr

DISPLAY = Path(__file__).parent / "display"

RECIPES = {
    "radargram": gpr.Recipe(dewow_ns=2.0, background="median", gain="sec", sec_power=1.2, sec_alpha_per_ns=0.1),
    "everything": gpr.Recipe(
        dewow_ns=1.5,
        background="mean",
        background_m=0.2,
        gain="agc",
        agc_ns=3.0,
        velocity_m_per_ns=0.12,
        show_envelope=True,
    ),
}


def sections():
    """Return name → (section, dt in ns, dx in m): hyperbolae of 16-bit radar, floats with gaps, an unsigned offset recording."""
    return {
        "radar_int16_40x30": (_radar(40, 30, 1).round().astype(np.int16), 0.2, 0.02),
        "gaps_float32_33x17": (_with_gaps(_radar(33, 17, 2) / 9000), 0.25, 0.05),
        "offset_uint16_24x21": ((_radar(24, 21, 3) + 32768).round().astype(np.uint16), 0.3, 0.04),
    }


def _radar(rows, columns, seed):
    rng = np.random.default_rng(seed)
    row, column = np.mgrid[:rows, :columns].astype(float)
    apex = np.hypot(0.45 * rows, 1.2 * (column - 0.4 * columns))
    echo = np.exp(-(((row - apex) / 2) ** 2)) * np.cos(1.6 * (row - apex))
    direct = np.exp(-(((row - 5) / 1.5) ** 2)) * np.cos(1.8 * (row - 5))
    wow = np.exp(-row / rows) - 0.5
    return 9000 * direct + 2500 * echo + 1200 * wow + rng.normal(0, 40, (rows, columns))


def _with_gaps(section):
    section = section.astype(np.float32)
    section[20, 3], section[7, 9], section[0, 0] = np.nan, np.inf, -np.inf
    return section


def steps(section, dt_ns, dx_m):
    """Return the entries of a section: step, its options as the page knows them, and its output."""
    zero = gpr.time_zero(section)
    found = [
        ("dewow", {"window": 7}, gpr.dewow(section, 7)),
        ("dewow", {"window": 10}, gpr.dewow(section, 10)),
    ]
    for method in ("mean", "median"):
        for window in (None, 9):
            options = {"method": method, "window": window}
            found.append(("background", options, gpr.remove_background(section, method, window)))
    for options in (
        {"power": 1.0, "alpha_per_ns": 0.2, "max_gain": 40.0},
        {"power": 1.5, "alpha_per_ns": 0.05, "max_gain": None},
    ):
        found.append(("gain_sec", options, gpr.gain_sec(section, dt_ns, time_zero_sample=zero, **options)))
    for options in ({"window": 9, "max_gain": 1000.0}, {"window": 12, "max_gain": 5.0}):
        found.append(("gain_agc", options, gpr.gain_agc(section, **options)))
    band = {"low_mhz": 200.0, "high_mhz": 1200.0}
    found.append(("bandpass", band, gpr.bandpass(section, dt_ns, **band)))
    found.append(("envelope", {}, gpr.envelope(section)))
    found.append(("migrate", {"velocity_m_per_ns": 0.1}, gpr.migrate(section, dt_ns, dx_m, 0.1, zero)))
    for name, recipe in RECIPES.items():
        options = {"name": name, "recipe": recipe.to_dict()}
        found.append(("recipe", options, recipe.apply(section, dt_ns, dx_m, zero)))
    return found


def golden(section, dt_ns, dx_m):
    """Return the content of one file."""
    return {
        "dtype": section.dtype.name,
        "rows": section.shape[0],
        "columns": section.shape[1],
        "dt_ns": dt_ns,
        "dx_m": dx_m,
        "time_zero_sample": gpr.time_zero(section),
        "noise_floor": gpr.noise_floor(section),
        "input": [float(f"{v:.9g}") if np.isfinite(v) else None for v in section.ravel()],
        "steps": [
            {"step": step, "options": options, "output": [float(f"{v:.6g}") for v in output.ravel()]}
            for step, options, output in steps(section, dt_ns, dx_m)
        ],
    }


def main():
    DISPLAY.mkdir(exist_ok=True)
    for name, (section, dt_ns, dx_m) in sections().items():
        content = golden(section, dt_ns, dx_m)
        entries = [json.dumps({key: value}, separators=(",", ":"))[1:-1] for key, value in content.items()]
        (DISPLAY / f"{name}.json").write_text("{\n" + ",\n".join(entries) + "\n}\n")


if __name__ == "__main__":
    main()
