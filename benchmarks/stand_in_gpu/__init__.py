"""GPUs that are not there, for llama.cpp to plan with."""
