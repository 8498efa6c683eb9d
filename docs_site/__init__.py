"""The code that mkdocs needs to build the documentation site."""
