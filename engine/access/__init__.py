"""Who asks, and what they may use of what is everybody's.

    who        credentials of a request -> a Person, in one place; how people sign in, in each mode
    hub        signing in by Hugging Face (OpenID Connect)
    passwords  hashing them slowly
    limits     a sliding window
    use        how much a person, or an address, may use in an hour

The modes (`STUDIO_ACCESS`): nobody signs in, on this machine only; accounts of the studio's own; Hugging Face; a proxy that
says who asks. In each the rest of the studio sees a name and a role, and nothing else.
"""

from engine.access.limits import Allowance
from engine.access.who import Access, Brought, NotSignedIn, SignedIn, check_access

__all__ = ["Access", "Allowance", "Brought", "NotSignedIn", "SignedIn", "check_access"]
