"""Files two figures, has a wrong one refused, and reads the score back."""

import os

from jixiao_client import AuthenticatedClient
from jixiao_client.api.evaluations import get_evaluation_score, put_base_data
from jixiao_client.api.fiscal_years import put_fiscal_year
from jixiao_client.api.units import put_unit
from jixiao_client.models import BaseData, FiscalYearInput, Problem, Staff, UnitInput, UnitKind

base = os.environ.get("BASE", "http://127.0.0.1:8080")
client = AuthenticatedClient(base, token=os.environ.get("TOKEN", "none"), raise_on_unexpected_status=True)

put_unit.sync("900001", client=client, body=UnitInput(name="示例单位", kind=UnitKind.DEPARTMENT))
put_fiscal_year.sync(2031, client=client, body=FiscalYearInput(scheme="hunan-2019"))
put_base_data.sync("900001", 2031, client=client, body=BaseData(staff=Staff(posts=171, in_post=104)))

refused = put_base_data.sync("900001", 2031, client=client, body=BaseData(staff=Staff(posts=171, in_post=-4)))
assert isinstance(refused, Problem)
for error in refused.errors:
    print(f"refused: {error.pointer}")

score = get_evaluation_score.sync("900001", 2031, client=client)
print(f"total: {score.interval.low} to {score.interval.high}")
for line in score.lines:
    if line.points is not None:
        print(f"{line.code}: {line.points} of {line.weight}")
