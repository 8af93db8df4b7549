"""Pictures of radar sections and of maps with real axes, as SVG: they stay in the notebook without a running kernel."""

import base64
import io

import numpy as np
from IPython.display import SVG
from PIL import Image

LEFT, TOP, BOTTOM = 58, 26, 42
RED = (230, 60, 40)


def picture(values, across, down, *, overlay=None, marks=(), title="", width=860, height=330, symmetric=True):
    """Return a grey picture of a section or a map.

    Parameters
    ----------
    values : array (rows, columns)
    across, down : al_widgets.Axis
        Of columns and of rows.
    overlay : array (rows, columns), optional
        0 to 1: how red a pixel is.
    marks : sequence of (x, y)
        In the axes' units; drawn as circles.
    symmetric : bool
        Grey is 0 and both ends are clipped at the 99th percentile of magnitudes; else black to white from least to most.
    """
    values = np.asarray(values, float)
    if symmetric:
        clip = np.percentile(np.abs(values), 99) or 1.0
        level = 0.5 + values / (2 * clip)
    else:
        low, high = np.percentile(values, [1, 99.8])
        level = (values - low) / max(high - low, 1e-12)
    pixels = np.repeat(np.clip(255 * level, 0, 255)[..., None], 3, axis=2)
    if overlay is not None:
        share = 0.75 * np.clip(overlay, 0, 1)[..., None]
        pixels = (1 - share) * pixels + share * np.array(RED)
    file = io.BytesIO()
    Image.fromarray(pixels.astype(np.uint8)).save(file, "PNG")
    data = base64.b64encode(file.getvalue()).decode()
    rows, columns = values.shape
    inner_w, inner_h = width - LEFT - 12, height - TOP - BOTTOM

    def x_of(x):
        return LEFT + (across.index(x) + 0.5) / columns * inner_w

    def y_of(y):
        return TOP + (down.index(y) + 0.5) / rows * inner_h

    parts = [
        f'<image x="{LEFT}" y="{TOP}" width="{inner_w}" height="{inner_h}" preserveAspectRatio="none" '
        f'href="data:image/png;base64,{data}"/>',
        f'<rect x="{LEFT}" y="{TOP}" width="{inner_w}" height="{inner_h}" fill="none" stroke="#888"/>',
        f'<text x="{LEFT}" y="16" font-weight="bold">{title}</text>',
        f'<text x="{LEFT + inner_w / 2}" y="{height - 8}" text-anchor="middle">{_label(across)}</text>',
        f'<text transform="translate(14 {TOP + inner_h / 2}) rotate(-90)" text-anchor="middle">{_label(down)}</text>',
    ]
    for tick in _ticks(across, columns, 8):
        x = x_of(tick)
        parts.append(f'<path d="M{x:.1f} {TOP + inner_h}v5" stroke="#888"/>')
        parts.append(f'<text x="{x:.1f}" y="{TOP + inner_h + 18}" text-anchor="middle">{tick:g}</text>')
    for tick in _ticks(down, rows, 5):
        y = y_of(tick)
        parts.append(f'<path d="M{LEFT} {y:.1f}h-5" stroke="#888"/>')
        parts.append(f'<text x="{LEFT - 8}" y="{y + 4:.1f}" text-anchor="end">{tick:g}</text>')
    for x, y in marks:
        parts.append(f'<circle cx="{x_of(x):.1f}" cy="{y_of(y):.1f}" r="9" fill="none" stroke="#0a84ff" stroke-width="2.5"/>')
    style = 'font-family="sans-serif" font-size="12" fill="#444"'
    return SVG(
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" {style}>'
        f'<rect width="{width}" height="{height}" fill="white"/>{"".join(parts)}</svg>'
    )


def _label(axis):
    return f"{axis.name} [{axis.unit}]" if axis.unit else axis.name


def _ticks(axis, n, wanted):
    low, high = axis.coordinate(0), axis.coordinate(n - 1)
    rough = max(high - low, 1e-12) / wanted
    power = 10 ** np.floor(np.log10(rough))
    step = power * min((1, 2, 5, 10), key=lambda m: abs(m * power - rough))
    return [round(step * k, 10) for k in range(int(np.ceil(low / step)), int(np.floor(high / step)) + 1)]
