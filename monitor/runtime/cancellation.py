"""A cancellation that was swallowed is raised again: what is told to stop must stop."""

import asyncio


def heed_cancellation() -> None:
    """Raise a cancellation that was swallowed in what was just waited for.

    Python 3.11's `wait_for`, on which aiomqtt builds, forgets one that comes just as its future is
    done; the process would then never stop.

    Raises:
        asyncio.CancelledError: this task was cancelled and does not know it.
    """
    task = asyncio.current_task()
    if task is not None and task.cancelling():
        raise asyncio.CancelledError
