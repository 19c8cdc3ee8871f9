"""`people WHAT`: who may come in, without the screens: the first admin, roles, invitations, claims."""

from __future__ import annotations

import argparse
from getpass import getpass
from typing import TextIO

from engine.rights import ROLES
from engine.settings import Settings

ACTION = "look_after_people"
SUMMARY = "list people, add or invite them, change roles, send them away"


def configure(parser: argparse.ArgumentParser) -> None:
    kinds = parser.add_subparsers(title="what", dest="what", metavar="WHAT", required=True)
    kinds.add_parser("list", help="everybody, with their role")
    add = kinds.add_parser("add", help="add a person; asks for the password")
    add.add_argument("name", metavar="NAME")
    add.add_argument("--role", choices=ROLES, default="annotator")
    add.add_argument("--admin", action="store_const", dest="role", const="admin", help="the same as --role admin")
    invite = kinds.add_parser("invite", help="print a link by which one person comes in")
    invite.add_argument("--role", choices=ROLES, default="annotator")
    invite.add_argument("--name", help="for a person who is there: they choose a new password")
    role = kinds.add_parser("role", help="change a person's role")
    role.add_argument("name", metavar="NAME")
    role.add_argument("role", choices=ROLES)
    close = kinds.add_parser("close", help="send a person away: sessions and tokens end, their work stays")
    close.add_argument("name", metavar="NAME")
    claim = kinds.add_parser("claim", help="sign what a guest did with a person's name")
    claim.add_argument("guest", metavar="GUEST")
    claim.add_argument("name", metavar="NAME")
    parser.epilog = "With people in the store, STUDIO_ACCESS=accounts lets them sign in (docs/access.md)."


def run(arguments: argparse.Namespace, settings: Settings, out: TextIO) -> int:
    from engine.access import Access
    from engine.access.passwords import hash_password
    from engine.opening import open_store

    settings.home.mkdir(parents=True, exist_ok=True)
    with open_store(settings) as store:
        people = store.people
        if arguments.what == "add":
            made = people.add(
                arguments.name, arguments.role, password=hash_password(getpass(f"Password of {arguments.name}: "))
            )
            print(f"{made.name} is {made.role}", file=out)
        elif arguments.what == "invite":
            _, secret = Access(settings, store).invite(arguments.role, "command line", arguments.name)
            print(f"invitation?key={secret}", file=out)
        elif arguments.what == "role":
            changed = people.set_role(arguments.name, arguments.role)
            print(f"{changed.name} is {changed.role}", file=out)
        elif arguments.what == "close":
            print(f"{people.end(arguments.name).name} has no account any more", file=out)
        elif arguments.what == "claim":
            people.claim(arguments.guest, arguments.name)
            print(f"what {arguments.guest} did is signed by {people.get(arguments.name).name}", file=out)
        else:
            for one in people.list():
                print(f"{one.role:<10} {one.name}{'  (closed)' if one.ended_at else ''}", file=out)
    return 0
