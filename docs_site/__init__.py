"""The documentation site: the code that mkdocs needs beside the documents."""
