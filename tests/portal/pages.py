"""Somebody who visits the pages with a browser that runs no script, by the keyboard; and looks at each with axe-core."""

import json
import time

TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
WIDTHS = (1200, 320)


class Pages:
    def __init__(self, module, program, rules, language, out):
        self.browser = module.Browser(program, reach="MAP * ~NOTFOUND, EXCLUDE 127.0.0.1")
        self.rules, self.language, self.out, self.number = rules, language, out, 0

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.browser.close()

    def scripts(self, are_run):
        self.browser.call("Emulation.setScriptExecutionDisabled", value=not are_run)

    def loaded(self):
        """Waits for the page, and what stands on it."""
        while not any(one.get("method") == "Page.loadEventFired" for one in self.browser.events):
            self.browser.events.append(self.browser.receive())
        self.browser.events.clear()

    def go(self, url):
        self.browser.events.clear()
        self.scripts(False)
        self.browser.call("Page.navigate", url=url)
        self.loaded()
        self.look()

    def look(self):
        """Nothing is wrong with the page, whoever reads it how. axe-core runs beside the page: what it may not load stays out."""
        self.scripts(True)
        # In a world of its own, where the page's policy does not reach.
        frame = self.browser.call("Page.getFrameTree")["frameTree"]["frame"]["id"]
        world = self.browser.call("Page.createIsolatedWorld", frameId=frame, worldName="axe")["executionContextId"]

        def evaluate(script, wait=False):
            done = self.browser.call("Runtime.evaluate", expression=script, contextId=world, returnByValue=True, awaitPromise=wait)
            assert "exceptionDetails" not in done, done["exceptionDetails"]
            return done["result"].get("value")

        evaluate(self.rules + "; 0")
        for width in WIDTHS:
            self.browser.call("Emulation.setDeviceMetricsOverride", width=width, height=900, deviceScaleFactor=1, mobile=False)
            found = evaluate(f"axe.run(document, {{runOnly: {json.dumps(TAGS)}}}).then(r => r.violations.map(v => v.id + ': ' + v.nodes.map(n => n.html).join(' | ')))", True)
            assert not found, found
            wide = evaluate("document.documentElement.scrollWidth")
            assert wide <= width, f"{wide} wide at {width}"
        assert evaluate("document.documentElement.lang") == self.language
        assert evaluate("document.scripts.length") == 0 and evaluate("document.cookie") == ""
        self.number += 1
        self.scripts(False)

    def text(self):
        self.scripts(True)
        text = self.browser.evaluate("document.body.innerText")
        self.scripts(False)
        return text

    def press(self, selector):
        """Moves to an element by Tab, presses Enter, and waits for the page behind it."""
        for _ in range(60):
            self.key("Tab", 9)
            self.scripts(True)
            is_there = self.browser.evaluate(f"document.activeElement.matches({json.dumps(selector)})")
            self.scripts(False)
            if is_there:
                break
        else:
            raise AssertionError(f"no way by the keyboard to {selector}")
        self.browser.events.clear()
        self.key("Enter", 13, "\r")
        self.loaded()
        self.look()

    def key(self, name, code, text=None):
        more = {"text": text} if text else {}
        self.browser.call("Input.dispatchKeyEvent", type="keyDown", key=name, code=name, windowsVirtualKeyCode=code, **more)
        self.browser.call("Input.dispatchKeyEvent", type="keyUp", key=name, code=name, windowsVirtualKeyCode=code)

    def says(self, french, english):
        words, text = (french if self.language == "fr" else english), self.text()
        assert words in text, f"{words} is not in {text}"

    def confirm(self, link):
        self.go(f"{link}&lang={self.language}")
        self.says("Le souhaitez-vous", "Do you want this?")
        self.press("main button")
        self.says("c'est confirmé", "it is confirmed")

    def choose(self):
        self.press("main a")
        self.says("Vous y consentez", "You agree (since")
        # A denial counts from a later moment than what it denies.
        for selector, french, english in [
            ("button[value=withdraw]", "Vous n'y consentez pas", "You do not agree"),
            ("button[value=give]", "Vous y consentez", "You agree (since"),
            ("section button[value=object]", "Vous vous y opposez", "You object (since"),
            ("button[value=lift]", "intérêt légitime", "legitimate interest"),
        ]:
            time.sleep(0.01)
            self.press(selector)
            self.says(french, english)

    def ask(self, url, address):
        self.go(url)
        for _ in range(10):
            self.key("Tab", 9)
            self.scripts(True)
            is_there = self.browser.evaluate("document.activeElement.id === 'email'")
            self.scripts(False)
            if is_there:
                break
        self.browser.call("Input.insertText", text=address)
        self.press("main button")
        self.says("boîte aux lettres", "mailbox")

    def lost(self, url):
        self.go(url)
        self.says("n'est pas valable", "is not valid")
