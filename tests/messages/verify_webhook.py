"""Says whether the reference implementation of the Standard Webhooks
specification takes a call.

Reads JSON from standard input: the secret, the three headers and the body.
Prints "right" or "wrong".
"""

import json
import sys

from standardwebhooks.webhooks import Webhook, WebhookVerificationError

call = json.load(sys.stdin)
try:
    Webhook(call["secret"]).verify(call["body"], call["headers"])
    print("right")
except WebhookVerificationError:
    print("wrong")
