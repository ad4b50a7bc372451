#!/usr/bin/python3
"""A WebKitGTK window per tab, for WebKitWebDriver to command. MiniBrowser cannot keep a profile under automation; this one always does.

Arguments: --profile=FOLDER --features=+A,-B (names as `MiniBrowser --features=help` lists them) --workers=with-tabs|apart.

WebKit runs the SharedWorkers of a site in the process of the page that asked first. With `apart` that is a page which nobody sees, and
a tab that goes to `about:kill-workers` ends its process. (A process that shows a tab must not die: WebKit ends the whole automation then.)
"""

import ctypes
import signal
import sys
from urllib.parse import urlsplit

import gi

gi.require_version("Gtk", "3.0")
gi.require_version("WebKit2", "4.1")
from gi.repository import Gtk, WebKit2  # noqa: E402

KILL_WORKERS = "about:kill-workers"

# Its process becomes the one for the SharedWorkers of its site.
ASK_FIRST = """<script>
  new SharedWorker(URL.createObjectURL(new Blob(['onconnect = (event) => event.ports[0].postMessage(1)'])))
    .port.onmessage = () => { document.title = 'asked'; };
</script>"""

# Runs in every page before its own scripts; the test reads the list with its next question.
COLLECT_COMPLAINTS = """(() => {
  const complaints = (window[Symbol.for('complaints of this page')] = []);
  const describe = (thrown) => (thrown instanceof Error ? `${thrown}\\n${thrown.stack}` : String(thrown));
  addEventListener('error', (event) => { if (event.message) complaints.push(event.error ? describe(event.error) : event.message); });
  addEventListener('unhandledrejection', (event) => complaints.push(describe(event.reason)));
  const { error } = console;
  console.error = (...parts) => { complaints.push(parts.map(describe).join(' ')); error.apply(console, parts); };
})();"""


def main():
    die_with_the_driver()
    arguments = dict(argument[2:].split("=", 1) for argument in sys.argv[1:])
    profile = arguments["profile"]
    data = WebKit2.WebsiteDataManager(
        base_data_directory=f"{profile}/data", base_cache_directory=f"{profile}/cache"
    )
    context = WebKit2.WebContext(website_data_manager=data)
    context.set_automation_allowed(True)
    settings = settings_with(arguments["features"].split(","))
    apart = WorkersApart(context, settings) if arguments["workers"] == "apart" else None
    context.connect("automation-started", answer_automation, settings, apart)
    Gtk.main()


def die_with_the_driver():
    """A test run that is killed leaves no window behind."""
    pr_set_pdeathsig = 1
    ctypes.CDLL(None).prctl(pr_set_pdeathsig, signal.SIGKILL)


def settings_with(wishes):
    settings = WebKit2.Settings()
    features = WebKit2.Settings.get_all_features()
    by_name = {}
    for index in range(features.get_length()):
        feature = features.get(index)
        by_name[feature.get_identifier()] = feature
    for wish in wishes:
        settings.set_feature_enabled(by_name[wish[1:]], wish[0] == "+")
    return settings


def answer_automation(context, session, settings, apart):
    # The driver asks for this name.
    application = WebKit2.ApplicationInfo()
    application.set_name("MiniBrowser")
    application.set_version(
        WebKit2.get_major_version(), WebKit2.get_minor_version(), WebKit2.get_micro_version()
    )
    session.set_application_info(application)
    session.connect("create-web-view", lambda _: open_tab(context, settings, apart))


def open_tab(context, settings, apart):
    content = WebKit2.UserContentManager()
    content.add_script(
        WebKit2.UserScript.new(
            COLLECT_COMPLAINTS,
            WebKit2.UserContentInjectedFrames.TOP_FRAME,
            WebKit2.UserScriptInjectionTime.START,
            None,
            None,
        )
    )
    view = WebKit2.WebView(
        web_context=context,
        is_controlled_by_automation=True,
        settings=settings,
        user_content_manager=content,
    )
    window = Gtk.Window()
    window.set_default_size(1280, 900)
    window.add(view)
    view.connect("close", lambda _: window.destroy())
    if apart is not None:
        view.connect("decide-policy", apart.decide)
    window.show_all()
    return view


class WorkersApart:
    """One unseen page per origin, made before the first tab goes there."""

    def __init__(self, context, settings):
        self.context = context
        self.settings = settings
        self.pages = {}

    def decide(self, _, decision, kind):
        if kind != WebKit2.PolicyDecisionType.NAVIGATION_ACTION:
            return False
        uri = decision.get_navigation_action().get_request().get_uri()
        if uri == KILL_WORKERS:
            decision.ignore()
            for page in self.pages.values():
                page.terminate_web_process()
            self.pages.clear()
            return True
        address = urlsplit(uri)
        origin = f"{address.scheme}://{address.netloc}/"
        if address.scheme != "http" or origin in self.pages:
            return False
        self.pages[origin] = self.open_page(origin, decision.use)
        return True

    def open_page(self, origin, when_ready):
        page = WebKit2.WebView(web_context=self.context, settings=self.settings)
        page.connect("notify::title", lambda *_: when_ready())
        page.load_html(ASK_FIRST, origin)
        return page


main()
