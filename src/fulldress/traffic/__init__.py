"""Logs -> an open-loop workload -> a generator -> histograms; and how near all that is to production."""
