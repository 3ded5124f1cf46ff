"""Which links say of their devices that a state lasts: a sensor off, an occlusion, a fault.

A state is over when no link says it any more. A link that is lost says nothing: what it said is
unknown, until its next conversation says it again or does not. Two oximeters at one chair share one
condition, and neither takes back what the other said.
"""

import msgspec


class Notices(msgspec.Struct, kw_only=True, omit_defaults=True):
    """`said` holds the links that say a notice now, `left` what a link said when it was lost."""

    said: dict[str, list[str]] = {}
    left: dict[str, list[str]] = {}

    def says(self, notice: str, link: str) -> bool:
        """Return whether a link says so now."""
        return link in self.said.get(notice, ())

    def say(self, notice: str, link: str, *, is_present: bool) -> bool:
        """Take what a link says; return whether any link says so now."""
        links = [each for each in self.said.get(notice, ()) if each != link]
        if is_present:
            links.append(link)
        self.said[notice] = links
        if not links:
            del self.said[notice]
        return bool(links)

    def leave(self, link: str) -> list[str]:
        """A link is lost; return what nobody says any more and may last all the same."""
        notices = [notice for notice, links in self.said.items() if link in links]
        if notices:
            self.left[link] = notices
        return [each for each in notices if not self.say(each, link, is_present=False)]

    def come_back(self, link: str) -> list[str]:
        """A new conversation begins; return what the old one said and nobody says now."""
        return [each for each in self.left.pop(link, ()) if each not in self.said]

    def leave_all(self) -> None:
        """Every link is lost: the station was."""
        for link in sorted({each for links in self.said.values() for each in links}):
            self.leave(link)
