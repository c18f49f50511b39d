"""Entry of the managed Python runtime. Python never caches the compiled form of the file it is started
with, so there is next to nothing in it: `_runtime_core` comes compiled from `__pycache__` where there is one.
"""

# Processes that the function spawns with multiprocessing import this file under another name.
if __name__ == "__main__":
    import sys

    # Flags and variables that the function may set (-I, PYTHONSAFEPATH) leave this folder out.
    sys.path.insert(0, __file__.rpartition("/")[0])
    import _runtime_core

    _runtime_core.main()
