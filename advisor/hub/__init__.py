"""Files of the Hugging Face Hub, and where they lie on this machine."""
