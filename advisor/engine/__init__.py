"""llama.cpp in a child process: what it reports, sizes, times and generates."""
