"""Programs that read what users bring, each run in a process of its own: what breaks a reader breaks nothing else.

They import as little as they can, for they are started for every file.
"""
