"""The composition root: one module a command; the only package that knows all the others."""
