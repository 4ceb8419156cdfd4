"""Model files in the GGUF format: their headers read, and weightless or synthetic ones written."""
