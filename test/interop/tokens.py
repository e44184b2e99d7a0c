"""What a Python service does with derived tokens. Reads one question as JSON from stdin, answers JSON on stdout."""

import json
import sys

import jwt
from pymacaroons import Macaroon, Verifier

MACAROON_V2 = 2
VERSION_MARK = "_v1_"


def verify_jwt(question):
    """The claims of a JWT that holds, else the name of what is wrong with it."""
    token = question["token"]
    try:
        key = jwt.PyJWKClient(question["jwks_url"]).get_signing_key_from_jwt(token)
        return {"claims": jwt.decode(token, key, algorithms=question["algorithms"], issuer=question["issuer"])}
    except jwt.PyJWTError as error:
        return {"error": type(error).__name__}


def read_token(token):
    prefix, _, text = token.partition(VERSION_MARK)
    return prefix, Macaroon.deserialize(text)


def narrow(question):
    """A macaroon token with more caveats, which its holder adds without asking anybody."""
    prefix, macaroon = read_token(question["token"])
    for caveat in question["caveats"]:
        macaroon.add_first_party_caveat(caveat)
    return {"token": prefix + VERSION_MARK + macaroon.serialize()}


def verify_macaroon(question):
    """Whether the signature of a macaroon token holds, and what it says."""
    _, macaroon = read_token(question["token"])
    verifier = Verifier()
    verifier.satisfy_general(lambda caveat: True)
    try:
        verifier.verify(macaroon, bytes.fromhex(question["root_key"]))
        holds = True
    except Exception:  # pymacaroons' own type says no more
        holds = False
    caveats = [caveat.caveat_id_bytes.decode() for caveat in macaroon.caveats]
    return {"holds": holds, "identifier": macaroon.identifier_bytes.decode(), "caveats": caveats}


def create_macaroon(question):
    macaroon = Macaroon(
        location=question["location"],
        identifier=question["identifier"],
        key=bytes.fromhex(question["root_key"]),
        version=MACAROON_V2,
    )
    return {"token": question["prefix"] + VERSION_MARK + macaroon.serialize()}


ANSWERS = {
    "verify_jwt": verify_jwt,
    "narrow": narrow,
    "verify_macaroon": verify_macaroon,
    "create_macaroon": create_macaroon,
}

question = json.load(sys.stdin)
json.dump(ANSWERS[question["ask"]](question), sys.stdout)
