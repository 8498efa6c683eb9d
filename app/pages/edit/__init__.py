"""Pages on which guides are written: a form for each section, its check, its comparison and its publication."""
