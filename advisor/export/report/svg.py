"""Building SVG: elements with escaped text, no scripts and nothing from the network."""

from __future__ import annotations

from xml.etree.ElementTree import Element, indent, tostring

from advisor.text import one_line

NAMESPACE = "http://www.w3.org/2000/svg"

# Okabe and Ito's colours, told apart with any colour vision; the parts also differ in pattern and are labelled.
CHART_STYLE = """
.chart { --ink: #1b1f24; --soft: #57606a; --line: #d0d7de; --paper: #ffffff;
  --weights: #0072b2; --kv: #e69f00; --compute: #009e73; --pick: #d55e00; }
@media (prefers-color-scheme: dark) {
  .chart { --ink: #e6edf3; --soft: #9da7b3; --line: #3d444d; --paper: #0d1117;
    --weights: #56b4e9; --kv: #f0c04c; --compute: #2fc79a; --pick: #ff8c42; }
}
@media print {
  .chart { --ink: #000000; --soft: #333333; --line: #999999; --paper: #ffffff;
    --weights: #0072b2; --kv: #e69f00; --compute: #009e73; --pick: #d55e00; }
}
.chart text { fill: var(--ink); font: 13px system-ui, -apple-system, "Segoe UI", Roboto, sans-serif; }
.chart .soft { fill: var(--soft); font-size: 12px; }
.chart .strong { font-weight: 600; }
.chart .label { font-weight: 600; stroke: var(--paper); stroke-width: 3px; paint-order: stroke; }
.chart .frame { fill: none; stroke: var(--line); }
.chart .rule { stroke: var(--line); }
.chart .target { stroke: var(--soft); stroke-dasharray: 5 4; }
.chart .weights { fill: var(--weights); } .chart .kv { fill: var(--kv); } .chart .compute { fill: var(--compute); }
.chart .hatch { stroke: var(--paper); stroke-width: 2; }
.chart .front { fill: none; stroke: var(--soft); stroke-width: 1.5; }
.chart .dot { fill: var(--paper); stroke: var(--weights); stroke-width: 2; }
.chart .dot.best { fill: var(--weights); fill-opacity: 0.35; }
.chart .dot.pick { fill: var(--pick); fill-opacity: 0.85; stroke: var(--pick); }
"""


def el(tag: str, text: str = "", /, **attributes: object) -> Element:
    """An element with attributes; `class_` is `class`, other underscores are hyphens."""
    named = {key.rstrip("_").replace("_", "-"): _written(value) for key, value in attributes.items()}
    made = Element(tag, named)
    if text:
        made.text = one_line(text)
    return made


def _written(value: object) -> str:
    return f"{value:.1f}" if isinstance(value, float) else str(value)


def chart(width: int, height: int, label: str) -> Element:
    """An empty drawing that scales with the page; the label is what a screen reader says."""
    box = f"0 0 {width} {height}"
    return el("svg", class_="chart", viewBox=box, width=width, height=height, role="img", aria_label=one_line(label))


def standalone(svg: Element) -> str:
    """The drawing as a file of its own."""
    whole = Element("svg", {"xmlns": NAMESPACE, **svg.attrib})
    style = Element("style")
    style.text = CHART_STYLE
    whole.extend([style, *svg])
    indent(whole)
    return tostring(whole, encoding="unicode") + "\n"
