#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Opens a page in headless Chromium, light and dark, wide and narrow, and looks at it.

    browser.py PAGE [--pictures FOLDER --name NAME [--height H]] [--axe axe.min.js]

Fails on a message in the console, on a page that scrolls sideways, on a request that leaves the file, and,
where axe-core is given, on an accessibility finding that it calls serious or critical. Speaks the DevTools
protocol through two pipes, so that nothing but Chromium and Python's standard library is needed.
"""
import argparse
import base64
import json
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile

WIDTHS = (1280, 400)
SCHEMES = ("light", "dark")

# Everything that is folded open, so that it is looked at too.
UNFOLD = "document.querySelectorAll('details').forEach(d => d.open = true)"

# What sticks out on the right; the page itself and everything that does not scroll on its own.
OVERFLOW = """(() => {
    const width = document.documentElement.clientWidth, found = [];
    if (document.documentElement.scrollWidth > width) found.push('the page');
    for (const e of document.querySelectorAll('body *')) {
        if (e.closest('.scroll, .skip, .vh')) continue;
        if (e.getBoundingClientRect().right <= width + 0.5) continue;
        found.push(e.tagName + '.' + e.getAttribute('class'));
    }
    return found.slice(0, 5).join(', ');
})()"""


class Browser:
    """One tab. Commands go out on Chromium's descriptor 3, answers and events come in from descriptor 4."""

    def __init__(self):
        names = ("chromium", "chromium-browser", "google-chrome")
        program = next((name for name in names if shutil.which(name)), None)
        if not program:
            sys.exit("browser.py: no Chromium here")
        command_read, self.command = os.pipe()
        self.answers, answer_write = os.pipe()
        self.profile = tempfile.TemporaryDirectory()

        def wire():
            os.dup2(command_read, 13), os.dup2(answer_write, 14)
            os.dup2(13, 3), os.dup2(14, 4)

        self.process = subprocess.Popen(
            [program, "--headless", "--no-sandbox", "--disable-gpu", "--remote-debugging-pipe",
             "--force-device-scale-factor=1", f"--user-data-dir={self.profile.name}"],
            preexec_fn=wire, close_fds=False, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        os.close(command_read), os.close(answer_write)
        self.last, self.buffer, self.events, self.session = 0, b"", [], None
        target = self.call("Target.createTarget", url="about:blank")["targetId"]
        self.session = self.call("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        for domain in ("Page", "Runtime", "Log", "Network"):
            self.call(f"{domain}.enable")

    def receive(self):
        while b"\0" not in self.buffer:
            got = os.read(self.answers, 1 << 20)
            if not got:
                sys.exit("browser.py: Chromium ended")
            self.buffer += got
        message, self.buffer = self.buffer.split(b"\0", 1)
        return json.loads(message)

    def call(self, method, **params):
        self.last += 1
        message = {"id": self.last, "method": method, "params": params}
        if self.session:
            message["sessionId"] = self.session
        data = json.dumps(message).encode() + b"\0"
        while data:
            data = data[os.write(self.command, data):]
        while True:
            answer = self.receive()
            if answer.get("id") != self.last:
                self.events.append(answer)
            elif "error" in answer:
                sys.exit(f"browser.py: {method}: {answer['error']}")
            else:
                return answer["result"]

    def wait(self, event):
        while not any(e.get("method") == event for e in self.events):
            self.events.append(self.receive())

    def value(self, script):
        answer = self.call("Runtime.evaluate", expression=script, awaitPromise=True, returnByValue=True)
        if "exceptionDetails" in answer:
            sys.exit(f"browser.py: {answer['exceptionDetails']}")
        return answer["result"].get("value")

    def open(self, url, width, height, scheme):
        self.events.clear()
        self.call("Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1,
                  mobile=width < 600)
        self.call("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": scheme}])
        self.call("Page.navigate", url=url)
        self.wait("Page.loadEventFired")

    def messages(self, url):
        """What the page said to the console, and what it asked the network for."""
        found = []
        for event in self.events:
            params = event.get("params", {})
            if event.get("method") == "Runtime.consoleAPICalled":
                found.append("console: " + " ".join(str(a.get("value")) for a in params["args"]))
            elif event.get("method") == "Runtime.exceptionThrown":
                found.append("exception: " + params["exceptionDetails"]["text"])
            elif event.get("method") == "Log.entryAdded":
                found.append("log: " + params["entry"]["text"])
            elif event.get("method") == "Network.requestWillBeSent":
                asked = params["request"]["url"]
                if asked != url and not asked.startswith("data:"):
                    found.append("request: " + asked)
        return found

    def close(self):
        self.process.terminate()
        self.process.wait()
        self.profile.cleanup()


def accessibility(browser, axe):
    browser.value(axe + ";0")
    findings = json.loads(browser.value(
        "axe.run(document).then(r => JSON.stringify(r.violations.map(v => "
        "[v.impact, v.id, v.help, v.nodes.slice(0, 3).map(n => n.html.slice(0, 160))])))"))
    for impact, rule, words, nodes in findings:
        print(f"  axe: {impact}: {rule}: {words}: {' | '.join(nodes)}", file=sys.stderr)
    return [f"axe: {impact}: {rule}" for impact, rule, *_ in findings if impact in ("serious", "critical")]


def look(browser, options, width, scheme, axe):
    url = pathlib.Path(options.page).resolve().as_uri()
    browser.open(url, width, options.height, scheme)
    if options.pictures:
        picture = browser.call("Page.captureScreenshot", format="png")
        path = pathlib.Path(options.pictures) / f"{options.name}-{width}-{scheme}.png"
        path.write_bytes(base64.b64decode(picture["data"]))
    faults = []
    for state, script in (("as it opens", "0"), ("unfolded", UNFOLD)):
        browser.value(script)
        sticking_out = browser.value(OVERFLOW)
        if sticking_out:
            faults.append(f"scrolls sideways {state}: {sticking_out}")
    if axe:
        faults += accessibility(browser, axe)
    return faults + browser.messages(url)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("page")
    parser.add_argument("--pictures", help="folder for pictures of what a window shows")
    parser.add_argument("--name", default="report")
    parser.add_argument("--height", type=int, default=1000, help="of the window")
    parser.add_argument("--axe", help="axe.min.js of axe-core")
    options = parser.parse_args()
    axe = pathlib.Path(options.axe).read_text(encoding="utf-8") if options.axe else None
    browser, bad = Browser(), False
    for width in WIDTHS:
        for scheme in SCHEMES:
            faults = look(browser, options, width, scheme, axe)
            bad = bad or bool(faults)
            print(f"{options.page}: {width} {scheme}: {'; '.join(faults) or 'sound'}")
    browser.close()
    sys.exit(bad)


main()
