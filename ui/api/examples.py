"""Examples by program: the data sets that were brought in, and their examples a page at a time."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from engine.trace_json import example_to_json
from ui.api.endpoint import Services
from ui.api.values import DataSetsPage, ExamplesPage

__all__ = ["data_sets", "examples"]

_PAGE, _MOST = 50, 500


def data_sets(services: Services, person: str) -> DataSetsPage:
    """List the data sets that were brought in, with how many examples each has."""
    return {
        "data_sets": [
            {"name": one.name, "count": one.count, "with_answer": one.with_answer, "updated_at": one.updated_at}
            for one in services.studio.store.examples.data_sets()
        ]
    }


def examples(
    services: Services,
    person: str,
    data_set: Annotated[str, Field(description="The name of a data set, from data_sets.", max_length=200)],
    after: Annotated[
        int, Field(description="Only those with a greater number: next_after of the page before.", ge=0)
    ] = 0,
    limit: Annotated[int, Field(description="How many at most.", ge=1, le=_MOST)] = _PAGE,
) -> ExamplesPage:
    """List the examples of a data set, oldest first: question, media, and the answer where it is known."""
    kept = services.studio.store.examples
    kept.data_set(data_set)  # a name that is none is told as such, not as an empty page
    found = kept.list(data_set, after=after, limit=limit)
    return {
        "examples": [
            {
                "id": one.id,
                "number": one.number,
                "data_set": one.data_set,
                "original_id": one.original_id,
                "file_names": list(one.file_names),
                "example": example_to_json(one.example),
            }
            for one in found
        ],
        "next_after": found[-1].number if len(found) == limit else None,
    }
