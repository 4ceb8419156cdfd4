"""GGUF files of this machine, put together: found, identified, hashed, downloaded."""
