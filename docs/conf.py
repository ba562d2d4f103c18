"""Configuration of the documentation: ``python -m sphinx docs build/docs -W``."""

from __future__ import annotations

import sys
from pathlib import Path

TOP = Path(__file__).parent.parent
sys.path.insert(0, str(TOP))

import framework  # noqa: E402

project = "dinputs"
copyright = "the authors of dinputs"
version = release = framework.__version__

extensions = [
    "myst_nb",
    "sphinx.ext.autodoc",
    "sphinx.ext.autosummary",
    "sphinx.ext.napoleon",
    "sphinx.ext.viewcode",
    "sphinx.ext.mathjax",
    # MathJax as files of this site: mathematics is read without a network.
    "sphinx-mathjax-offline",
    "docs.extensions.site",
]
source_suffix = {".md": "myst-nb", ".ipynb": "myst-nb", ".rst": "restructuredtext"}
exclude_patterns = ["extensions"]

myst_enable_extensions = ["dollarmath", "colon_fence", "deflist"]
myst_heading_anchors = 3
# The notebooks are committed with their outputs; CI runs them.
nb_execution_mode = "off"
nb_ipywidgets_js: dict[str, object] = {}

autosummary_generate = False  # the pages are written by docs.extensions.site
autodoc_member_order = "bysource"
autodoc_preserve_defaults = True
autodoc_typehints = "none"  # docs.extensions.docstrings writes signatures as they are in the code
python_use_unqualified_type_names = True
maximum_signature_line_length = 80
napoleon_google_docstring = True
napoleon_numpy_docstring = False
napoleon_use_ivar = True
napoleon_attr_annotations = False  # or types are shown as the unions behind their names

html_theme = "furo"
html_title = f"dinputs {release}"
html_static_path = ["static"]
html_css_files = ["site.css"]
html_copy_source = False
html_theme_options = {"navigation_with_keys": True}
pygments_style = "friendly"
pygments_dark_style = "github-dark"
