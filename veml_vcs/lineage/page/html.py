"""One HTML file of a page: text, style, program and data, and a policy that lets nothing else in.

What the page shows is not decided here: see ``gather``; what it does is in ``assets``.
"""

from __future__ import annotations

import base64
import hashlib
import html
import json
import re
from importlib.resources import files

from veml_vcs.lineage.page.gather import Page

_PROGRAMS = (
    "vendor/cytoscape.min.js", "vendor/cytoscape-dagre.min.js",
    "assets/model.js", "assets/layout.js", "assets/graph.js", "assets/labels.js",
    "assets/panel.js", "assets/page.js",
)  # fmt: skip
_LIBRARIES = 2
_PLACE = re.compile(r"\{\{(\w+)\}\}")


def to_html(page: Page) -> bytes:
    """Return the page as one file in UTF-8 that asks for nothing from anywhere.

    All that comes from the repository is in it as text: names may be anybody's.
    """
    texts = [_asset(one) for one in _PROGRAMS]
    # Ours are one program, so that what they share is nobody else's.
    ours = "(() => {\n'use strict';\n" + "\n".join(texts[_LIBRARIES:]) + "\n})();\n"
    programs = [*texts[:_LIBRARIES], ours]
    style = _asset("assets/page.css")
    policy = (
        f"default-src 'none'; script-src {' '.join(map(_digest, programs))}; "
        f"style-src {_digest(style)}; img-src data: blob:; base-uri 'none'; form-action 'none'"
    )
    pieces = {
        "policy": html.escape(policy),
        "title": html.escape(_printable(page.title)),
        "about": html.escape(_printable(page.about)),
        "style": style,
        "data": _json(page.as_dict()),
        "programs": "\n".join(f"<script>{one}</script>" for one in programs),
    }
    # In one pass: what is put in is not looked at again.
    text = _PLACE.sub(lambda found: pieces[found[1]], _asset("assets/page.html"))
    return text.encode("utf-8")


def _asset(name: str) -> str:
    return (files(__package__) / name).read_text(encoding="utf-8")


def _digest(text: str) -> str:
    digest = base64.b64encode(hashlib.sha256(text.encode("utf-8")).digest()).decode("ascii")
    return f"'sha256-{digest}'"


def _json(value: object) -> str:
    """Return JSON that no HTML parser takes for anything else: no ``</script>``, no ``<!--``."""
    text = json.dumps(value, ensure_ascii=True, allow_nan=False, separators=(",", ":"))
    return text.replace("&", "\\u0026").replace("<", "\\u003c").replace(">", "\\u003e")


def _printable(text: str) -> str:
    return "".join(char if char.isprintable() else "\N{REPLACEMENT CHARACTER}" for char in text)
