"""An executor without threads, for tests that want one thing after the other."""

from __future__ import annotations

from concurrent.futures import Executor, Future


class Inline(Executor):
    """Does everything at once, in this thread."""

    def submit(self, fn, /, *args, **kwargs):
        future = Future()
        try:
            future.set_result(fn(*args, **kwargs))
        except Exception as error:
            future.set_exception(error)
        return future
