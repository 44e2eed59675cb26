"""What schemathesis cannot know of this API, told between making a request and sending it.

A write needs a fresh Idempotency-Key: the same few generated keys would be refused as used with
another request. And an id in a request must often be one that exists, or nearly all calls end at
"not found". So ids are collected from demo.json and from answers, by their kind (the letters before
the underscore), and put in place of the document's examples and of half the made-up ones.
"""

import itertools
import json
import os
import re

import schemathesis
from schemathesis.core.parameters import ParameterLocation

ID = re.compile(r"\b([a-z]{2,5})_[0-9a-z]{26}\b")
KEPT_OF_A_KIND = 50
KEY = "Idempotency-Key"

with open(os.environ["SCRIP_DEMO"], encoding="utf-8") as file:
    demo = file.read()
api_key = os.environ["SCRIP_API_KEY"]

known = {}
examples = {}
turn = itertools.count(1)


def collect(text):
    for found in ID.finditer(text):
        ids = known.setdefault(found[1], [])
        # The key of this run must not be revoked by it.
        is_own_key = found[0].split("_")[1] in api_key
        if found[0] not in ids and not is_own_key and len(ids) < KEPT_OF_A_KIND:
            ids.append(found[0])


collect(demo)


def examples_of(schema):
    if id(schema) not in examples:
        text = json.dumps(schema.raw_schema, default=str)
        examples[id(schema)] = {found[0] for found in ID.finditer(text)}
    return examples[id(schema)]


def with_real_ids(value, placeholders):
    """The value, its ids replaced; the same object when nothing was."""
    if isinstance(value, dict):
        new = {name: with_real_ids(part, placeholders) for name, part in value.items()}
        return new if any(new[name] is not value[name] for name in value) else value
    if isinstance(value, list):
        new = [with_real_ids(part, placeholders) for part in value]
        return new if any(a is not b for a, b in zip(new, value)) else value
    found = ID.fullmatch(value) if isinstance(value, str) else None
    ids = known.get(found[1]) if found else None
    if not ids or value in ids:
        return value
    count = next(turn)
    return ids[count % len(ids)] if value in placeholders or count % 2 else value


@schemathesis.hook
def before_call(context, case, kwargs):
    is_bad_header = case.meta is not None and case.meta.is_negative_at(ParameterLocation.HEADER)
    if KEY in case.headers and not is_bad_header:
        case.headers[KEY] = f"api-check-{next(turn)}"
    placeholders = examples_of(case.operation.schema)
    for part in ("path_parameters", "query", "body"):
        value = getattr(case, part)
        new = with_real_ids(value, placeholders)
        if new is not value:
            setattr(case, part, new)


@schemathesis.hook
def after_call(context, case, response):
    if 200 <= response.status_code < 300:
        collect(response.content.decode("utf-8", "replace"))
