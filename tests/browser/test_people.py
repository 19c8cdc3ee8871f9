"""People come in by an invitation, by the Hub, or are refused; what a visitor brings is seen by nobody else."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from engine.access import Access
from engine.trace import Step
from tests.access.stand_in_hub import StandInHub
from tests.browser.live import LiveStudio
from tests.browser.proxies import PLAIN, TELLING, nginx

PASSWORD = "a long one"


@pytest.fixture(scope="module")
def hub():
    hub = StandInHub()
    yield hub
    hub.close()


@pytest.fixture(scope="module")
def live(tmp_path_factory, chromium, hub):
    live = LiveStudio(
        tmp_path_factory.mktemp("people"),
        STUDIO_ACCESS="accounts",
        STUDIO_GUESTS="visitor",
        STUDIO_FRAME_ANCESTORS=hub.url,
    )
    live.studio.store.people.add("Ada", "admin")
    yield live
    live.close()


@pytest.fixture
def space(hub, live, monkeypatch):
    """The same studio as a Space, whose people sign in by the Hub; who has not must."""
    from engine.settings import Settings

    settings = Settings.from_environment(hub.settings(STUDIO_HOME=str(live.studio.settings.home)))
    access = Access(settings, live.studio.store)
    for name in ("mode", "settings"):
        monkeypatch.setattr(live.studio.access, name, getattr(access, name))
    return live


def signed_in(page, live, name):
    secret = live.studio.access.begin(name, "Firefox on Linux").secret
    page.context.add_cookies([{"name": "studio_session", "value": secret, "url": live.url}])
    return page


def test_an_admin_invites_somebody_who_comes_in_and_is_sent_away(new_page, live, axe):
    ada = signed_in(new_page(), live, "Ada")
    ada.goto(f"{live.url}/people")
    ada.get_by_text("You are admin").wait_for()
    ada.select_option(".people-invite select", "annotator")
    ada.click(".people-invite button")
    ada.locator(".people-invitations .people-secret").wait_for()
    link = ada.locator(".people-invitations .people-secret > code").inner_text()
    assert link.startswith(f"{live.url}/invitation?key=pri_")
    assert axe(ada) == []

    bob = new_page(width=390, height=800)
    bob.goto(link)
    assert "annotator" in bob.inner_text(".sign-in-note") and axe(bob) == []
    bob.fill("input[name=name]", "guest-1234")
    bob.fill("input[name=password]", PASSWORD)
    bob.click(".sign-in-button")
    assert "nobody can be called" in bob.inner_text("[role=alert]")
    bob.fill("input[name=name]", "Bob")
    bob.fill("input[name=password]", PASSWORD)
    bob.click(".sign-in-button")
    bob.wait_for_url(f"{live.url}/")
    bob.goto(f"{live.url}/people")
    bob.get_by_text("You are annotator").wait_for()
    assert bob.is_hidden(".people-all") and bob.is_hidden("#people-invitations-title")

    ada.reload()
    ada.get_by_label("Role of Bob").select_option("trainer")
    ada.wait_for_function("document.querySelector('[aria-label=\"Role of Bob\"]').value === 'trainer'")
    live.until(lambda: live.studio.store.people.get("Bob").role == "trainer")
    ada.get_by_label("Close the account of Bob").click()
    ada.click(".confirming-go")
    ada.get_by_text("closed").wait_for()
    bob.reload()
    bob.get_by_text("A guest: only this browser knows you").wait_for()
    bob.click(".people-in")
    bob.fill("input[name=name]", "Bob")
    bob.fill("input[name=password]", PASSWORD)
    bob.click(".sign-in-button")
    assert "do not belong together" in bob.inner_text("[role=alert]")


def test_a_token_is_shown_once_and_opens_what_its_owner_may(new_page, live):
    ada = signed_in(new_page(), live, "Ada")
    ada.goto(f"{live.url}/people")
    ada.fill(".people-token input", "A notebook")
    ada.click(".people-token button")
    ada.locator(".people-keys .people-secret").wait_for()
    token = ada.locator(".people-keys .people-secret > code").inner_text()
    bare = new_page()
    answer = bare.request.get(f"{live.url}/me", headers={"Authorization": f"Bearer {token}"})
    assert answer.json()["user"] == "Ada"
    ada.get_by_label("End Token: A notebook").click()
    live.until(lambda: not [one for one in live.studio.store.keys.list("Ada") if one.kind == "token"])
    assert bare.request.get(f"{live.url}/me", headers={"Authorization": f"Bearer {token}"}).status == 401
    ada.reload()
    ada.get_by_text("You are admin").wait_for()
    assert ada.is_hidden(".people-secret >> nth=0")


def test_a_visitor_does_not_see_another_s_picture(new_page, live, tmp_path):
    from PIL import Image

    Image.effect_noise((320, 240), 40).convert("RGB").save(tmp_path / "mine.png")
    live.say(Step("I see it.", answer="mine"))
    one = new_page()
    one.goto(live.url)
    one.get_by_text("Only you see what you bring and ask until you send it to review").wait_for()
    assert one.is_hidden("#nav-curate") and one.is_hidden("#nav-train") and one.is_visible("#nav-ask")
    one.set_input_files(".drop-input", str(tmp_path / "mine.png"))
    one.wait_for_selector(".source-name:has-text('mine.png')")
    one.fill("#ask-question textarea", "Whose is this?")
    one.click("#ask-run")
    live.until(lambda: live.studio.store.traces.counts()["new"] == 1)
    [item] = [row.item for row in live.studio.store.queue.page().items]
    shown = one.request.get(f"{live.url}/media/{item.media_sha256}")
    assert shown.status == 200 and item.is_private

    other = new_page()
    other.goto(f"{live.url}/?trace={item.id}")
    other.get_by_text("there is no trace").first.wait_for()
    for path in ("", "/thumbnail", "/crop?box=0,0,1,1"):
        assert other.request.get(f"{live.url}/media/{item.media_sha256}{path}").status == 404
    other.goto(f"{live.url}/?media={item.media_sha256}")
    other.get_by_text("there is no media").first.wait_for()
    ada = signed_in(new_page(), live, "Ada")
    ada.goto(f"{live.url}/curate")
    ada.get_by_text("Nothing").first.wait_for()
    assert ada.locator("#curate-queue [role=option]").count() == 0

    one.goto(f"{live.url}/people")
    one.get_by_text("seen by you alone").wait_for()
    one.get_by_label("Delete Whose is this?").click()
    one.click(".confirming-go")
    one.get_by_text("Nothing yet.").wait_for()
    assert one.request.get(f"{live.url}/media/{item.media_sha256}").status == 404


def test_the_hub_lets_somebody_in_and_keeps_somebody_out(new_page, space, hub):
    page = new_page()
    page.goto(f"{space.url}/curate")
    page.wait_for_url(f"{space.url}/sign-in?next=curate")
    page.click("text=Sign in with Hugging Face")
    page.get_by_text("nora, let the studio in?").wait_for()
    page.click("text=Deny")
    page.get_by_text("did not let you in (access_denied)").wait_for()
    page.click("text=Sign in with Hugging Face")
    page.click("text=Allow")
    page.wait_for_url(f"{space.url}/")
    page.goto(f"{space.url}/people")
    page.get_by_text("You are visitor").wait_for()
    assert page.inner_text(".people-name") == "nora"
    page.click("text=Sign out")
    page.wait_for_url(f"{space.url}/sign-in*")


def test_a_frame_of_another_site_comes_in_by_a_tab_of_its_own(new_page, space, hub, monkeypatch):
    """As in a Space: the page stands in a frame of another site, where the cookies of a tab are none of the frame's."""
    monkeypatch.setattr("ui.guests.is_https", lambda scope: True)  # the cookies of an encrypted line
    page = new_page()
    page.goto(f"{hub.url}/around?of={space.url}/people")
    frame = page.frame_locator("iframe")
    with page.expect_popup() as opened:
        frame.locator("text=Sign in with Hugging Face").click()
    opened.value.click("text=Allow")
    opened.value.get_by_text("You are nora").wait_for()
    frame.get_by_text("You are visitor").wait_for()
    kept = [one for one in page.context.cookies() if one["name"] == "studio_session"]
    assert len(kept) == 2 and {one["sameSite"] for one in kept} == {"None"} and all(one["secure"] for one in kept)
    assert len({one.get("partitionKey") for one in kept}) == 2


@pytest.mark.skipif(
    not (shutil.which("nginx") or Path("/usr/sbin/nginx").exists()), reason="apt-get install nginx-light"
)
def test_people_come_in_below_a_path_behind_nginx(new_page, live, tmp_path):
    with nginx(tmp_path, live.url, {"plain": PLAIN, "telling": TELLING}) as addresses:
        for told, at in addresses.items():
            ada = new_page()
            secret = live.studio.access.begin("Ada", "Firefox on Linux").secret
            ada.context.add_cookies([{"name": "studio_session", "value": secret, "url": at}])
            ada.goto(f"{at}people")
            ada.get_by_text("You are admin").wait_for()
            ada.click(".people-invite button")
            ada.locator(".people-invitations .people-secret").wait_for()
            link = ada.locator(".people-invitations .people-secret > code").inner_text()
            assert link.startswith(f"{at}invitation?key=pri_")
            page = new_page()
            page.goto(link)
            page.fill("input[name=name]", f"Cy {told}")
            page.fill("input[name=password]", PASSWORD)
            page.click(".sign-in-button")
            page.wait_for_url(at)
            page.context.clear_cookies()
            page.goto(f"{at}people")
            page.click(".people-in")
            page.fill("input[name=name]", f"Cy {told}")
            page.fill("input[name=password]", PASSWORD)
            page.click(".sign-in-button")
            page.wait_for_url(f"{at}people")
            page.goto(f"{at}people")
            page.get_by_text("You are visitor").wait_for()
