"""What all shapes share. A request with a field that it does not know is refused."""

from typing import Annotated, Any

from ninja import Schema
from pydantic import ConfigDict, Field

Name = Annotated[str, Field(min_length=1, max_length=100, examples=["Website"])]


def not_given() -> Any:
    """The default of a field that may be left out but not be null; such calls look at the fields that were set."""
    return None


class Request(Schema):
    model_config = ConfigDict(extra="forbid", allow_inf_nan=False)

    def given(self) -> dict[str, Any]:
        """The fields that the caller sent."""
        return self.dict(exclude_unset=True)


class Problem(Schema):
    detail: str = Field(description="One sentence with the remedy.", examples=["There is no such project, or you are not a member of it."])
