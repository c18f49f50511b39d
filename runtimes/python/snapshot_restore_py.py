"""Hooks of functions with SnapStart, by the names and signatures of the public package of this name.

A function that brings the package itself gets its own: its folder comes first on the search path.
"""

_before_snapshot = []
_after_restore = []


def register_before_snapshot(func, *args, **kwargs):
    """Runs `func(*args, **kwargs)` at the end of Init, the last registered first. Also a decorator."""
    _before_snapshot.append((func, args, kwargs))
    return func


def register_after_restore(func, *args, **kwargs):
    """Runs `func(*args, **kwargs)` in every restored environment, in order. Also a decorator."""
    _after_restore.append((func, args, kwargs))
    return func


def get_before_snapshot():
    return _before_snapshot


def get_after_restore():
    return _after_restore
