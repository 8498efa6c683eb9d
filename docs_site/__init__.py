"""The documentation site: what mkdocs needs beside the documents."""
