"""The People screen: who I am here, what I asked, my sessions and tokens; for an admin everybody's.

It has no value: its module (`ui/people/client/people.js`) asks the server's own routes (`ui.people.account_routes`).
"""

from __future__ import annotations

from ui.components.component import StudioComponent

__all__ = ["PeopleRoom"]


class PeopleRoom(StudioComponent):
    FILES = "people"
    MODULE = "people/client/people.js"
