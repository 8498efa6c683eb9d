"""What the first lead does in a browser, as the pages for the first day say."""

from contextlib import ExitStack
from pathlib import Path
from urllib.parse import urlsplit

from playwright.sync_api import Browser, expect

from tests.support.browsing import FLAGS
from tests.support.people import virtual_authenticator
from tests.support.proxies import need
from tests.support.unsealing import unlock


def acknowledge_as_lead(browser: Browser, folder: Path, url: str, *, program: Path | None = None) -> None:
    """Open the link, create a passkey, open the invented concern with a key, and acknowledge it.

    The name of `url` leads to this machine. `program` starts Chromium, if it is not the installed one.
    """
    own = browser.browser_type.launch(
        executable_path=program or need("chromium"),
        args=[*FLAGS, f"--host-resolver-rules=MAP {urlsplit(url).hostname} 127.0.0.1", "--ignore-certificate-errors"],
    )
    with ExitStack() as ending:
        ending.callback(own.close)
        context = own.new_context(base_url=url, ignore_https_errors=True)
        page = context.new_page()
        ending.enter_context(virtual_authenticator(context, page))
        page.goto((folder / "invitation-link.txt").read_text().strip())
        page.get_by_role("button", name="Create a passkey and sign in").click()
        expect(page.get_by_role("heading", name="Your key and passkeys")).to_be_visible()
        page.get_by_role("link", name="Inbox").click()
        page.locator("summary", has_text="More").click()
        page.get_by_role("link", name="Tests").click()
        page.locator("[data-row] a").first.click()
        unlock(page, folder / "keys" / "everyday-identity.txt")
        expect(page.get_by_text("Alex Example does not exist")).to_be_visible()
        page.get_by_role("button", name="Acknowledge", exact=True).first.click()
        expect(page.get_by_text("Acknowledged").first).to_be_visible()
