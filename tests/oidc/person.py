"""Somebody at a browser: logs in at the provider by the code flow (RFC 6749, 7636), and comes away with tokens."""

import base64
import hashlib
import json
import secrets
import urllib.error
import urllib.parse
import urllib.request
from http.cookiejar import CookieJar

CALLBACK = "https://portal.example/callback"  # nobody is asked there
HOPS_MAX = 10


class NoRedirect(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *_):
        return None


class Person:
    """One browser: it keeps its cookies, so that the second token comes without a second login."""

    def __init__(self, issuer, name):
        self.issuer, self.name = issuer, name
        self.opener = urllib.request.build_opener(urllib.request.ProxyHandler({}), NoRedirect(), urllib.request.HTTPCookieProcessor(CookieJar()))
        with self.opener.open(f"{issuer}/.well-known/openid-configuration", timeout=10) as reply:
            self.metadata = json.load(reply)

    def tokens(self, **asked):
        """The tokens of one flow: `acr_values` and `max_age` are those of a challenge."""
        verifier = secrets.token_urlsafe(48)
        challenge = base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=").decode()
        query = {
            "client_id": "crm-portal",
            "response_type": "code",
            "scope": "openid crm",
            "redirect_uri": CALLBACK,
            "code_challenge": challenge,
            "code_challenge_method": "S256",
            "login_hint": self.name,
            **asked,
        }
        code = self.code(f"{self.metadata['authorization_endpoint']}?{urllib.parse.urlencode(query)}")
        form = {"grant_type": "authorization_code", "client_id": "crm-portal", "code": code, "redirect_uri": CALLBACK, "code_verifier": verifier}
        with self.opener.open(self.metadata["token_endpoint"], urllib.parse.urlencode(form).encode(), timeout=10) as reply:
            return json.load(reply)

    def token(self, **asked):
        return self.tokens(**asked)["access_token"]

    def code(self, url):
        for _ in range(HOPS_MAX):
            try:
                self.opener.open(url, timeout=10).close()
            except urllib.error.HTTPError as reply:
                with reply:
                    if reply.code not in (302, 303):
                        raise RuntimeError(f"the provider answered {reply.code} to {url}: {reply.read()[:500]}") from None
                    url = urllib.parse.urljoin(url, reply.headers["Location"])
            else:
                raise RuntimeError(f"the provider shows a page at {url}, and nobody looks at it")
            if url.startswith(CALLBACK):
                query = urllib.parse.parse_qs(urllib.parse.urlsplit(url).query)
                if "code" not in query:
                    raise RuntimeError(f"no code: {query}")
                return query["code"][0]
        raise RuntimeError("the provider redirects for ever")
