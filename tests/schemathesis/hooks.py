"""What may succeed: an operation that the spec does not give to the role must not.

The role that asks is in ROLE. The spec says which permission each operation demands (its `security`), and which
permissions each role has (`x-roles`).
"""

import os

import schemathesis

schemathesis.serializer.alias("application/x-ndjson", "text/plain")


@schemathesis.hook
def before_call(ctx, case, kwargs):
    """Nothing comes while it waits for the next event: it need not wait for long."""
    wait = (case.query or {}).get("wait")
    if str(wait).isdigit() and 1 < int(wait) <= 60:
        case.query["wait"] = 1


@schemathesis.check
def role_is_allowed(ctx, response, case):
    # Other methods than the operation's own are tried too: OPTIONS and HEAD change nothing.
    if response.status_code >= 400 or case.method.upper() != case.operation.method.upper():
        return
    spec = case.operation.schema.raw_schema
    role = os.environ["ROLE"]
    allowed = spec["x-roles"][role]
    for requirement in case.operation.definition.raw.get("security", spec["security"]):
        demanded = requirement.get("token", [])
        if all(permission in allowed for permission in demanded):
            return
    raise AssertionError(f"{response.status_code} for the role {role}, which the spec does not allow this")
