"""Long runs by hand; nothing here is collected by pytest. `python -m tests.soak --help`"""
