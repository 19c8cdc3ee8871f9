"""People: signing in, one's own account, and looking after everybody's.

    sign_in         the pages that are there before anybody is: sign in, an invitation, the way to Hugging Face and back
    account_routes  what the People screen asks of the server
    screen          the People screen; its modules lie in client/

Not covered: who asks (`ui.guests`), what is kept of people (`engine.store.people`).
"""
