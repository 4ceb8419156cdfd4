"""Trials put together: files of tasks, the journal of answers, checks in a child, the runs themselves."""
