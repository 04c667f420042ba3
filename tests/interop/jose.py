"""Verifies what convenant signs with code that is not ours: jwcrypto, which Debian packages as python3-jwcrypto.

    jose.py KEYS FILE...

KEYS is a public JWK or a JWK set (RFC 7517). With a set, each signature is verified under the key whose RFC 7638
thumbprint its header names as `kid`; with one key, under that. A FILE is a JWS, compact or in general JSON (RFC 7515,
sections 7.1 and 7.2.1), and holds when every signature does. For each there is a line of JSON, in that order.
"""

import json
import sys

from jwcrypto import jwk, jws

ALGORITHMS = ["EdDSA", "ES256"]


def main(keys, *files):
    keys = read_keys(keys)
    for file in files:
        with open(file, encoding="ascii") as opened:
            text = opened.read().strip()
        try:
            told = {"holds": True, **verify(text, keys)}
        except Exception as error:  # whatever it is, it does not hold
            told = {"holds": False, "fault": f"{type(error).__name__}: {error}"}
        print(json.dumps({"file": file, **told}))


def read_keys(file):
    """A function from a `kid` to the key to verify with."""
    with open(file, encoding="ascii") as opened:
        read = json.load(opened)
    if "keys" not in read:
        only = jwk.JWK(**read)
        return lambda _: only
    by_thumbprint = {}
    for one in read["keys"]:
        key = jwk.JWK(**one)
        assert not key.has_private, "a private key is no business of whoever verifies"
        by_thumbprint[key.thumbprint()] = key
    return lambda kid: by_thumbprint[kid]


def verify(text, keys):
    """Verifies under the key of each signature in turn: jwcrypto is content when any one of several holds."""
    token = jws.JWS()
    token.allowed_algs = ALGORITHMS
    token.deserialize(text)
    headers = token.jose_header if text.startswith("{") else [token.jose_header]
    for header in headers:
        token.verify(keys(header["kid"]))
    (typ,) = {header["typ"] for header in headers}
    json.loads(token.payload)
    return {"typ": typ, "signatures": len(headers)}


main(*sys.argv[1:])
