"""A part of the graph as one self-contained page for a browser (design note 032)."""

from veml_vcs.lineage.page.gather import MOST, Page, page_of, page_of_all
from veml_vcs.lineage.page.html import to_html

__all__ = ["MOST", "Page", "page_of", "page_of_all", "to_html"]
