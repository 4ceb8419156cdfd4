"""Values and arithmetic of the advice. Nothing here does I/O, reads a clock or knows a front end."""
