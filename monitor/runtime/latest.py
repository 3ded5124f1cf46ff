"""A mailbox that keeps the newest item of each key and counts what it skipped."""

from collections.abc import Hashable
from typing import Generic, TypeVar

Key = TypeVar("Key", bound=Hashable)
Item = TypeVar("Item")


class Latest(Generic[Key, Item]):
    """Screens stand behind this: slow readers skip, and never hold up the alarm path.

    Holds at most one item a key, so its size is bounded by the number of keys.
    """

    def __init__(self) -> None:
        self._items: dict[Key, Item] = {}
        self.skipped = 0

    def put(self, key: Key, item: Item) -> None:
        """Keep `item` as the newest of `key`."""
        if key in self._items:
            self.skipped += 1
        self._items[key] = item

    def take(self) -> dict[Key, Item]:
        """Return the newest of each key and empty the mailbox."""
        items, self._items = self._items, {}
        return items
