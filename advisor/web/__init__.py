"""The screens in a browser, through textual-serve: who may come in, how many, and that all of them leave."""
