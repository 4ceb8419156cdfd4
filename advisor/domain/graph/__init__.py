"""llama.cpp's compute graph in small: enough of it to know what its allocator would reserve, byte by byte."""
