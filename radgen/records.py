"""Domain values as JSON text and back, exactly.

pydantic does the work over the plain frozen dataclasses, so the domain knows nothing of it.
"""

from types import GenericAlias
from typing import Any, TypeVar, cast

from pydantic import ConfigDict, TypeAdapter, ValidationError
from pydantic_core import PydanticSerializationError

from radgen.domain.errors import StoreError

T = TypeVar("T")

# The configuration reaches nested plain dataclasses only through a container, hence the tuple.
_EXACT = ConfigDict(strict=True, extra="forbid", allow_inf_nan=False, ser_json_inf_nan="constants")


# Building an adapter takes milliseconds, so each type's is kept.
_ADAPTERS: dict[type[object], TypeAdapter[tuple[object]]] = {}


def _adapter(type_: type[object]) -> TypeAdapter[tuple[object]]:
    if type_ not in _ADAPTERS:
        container: Any = GenericAlias(tuple, (type_,))
        _ADAPTERS[type_] = TypeAdapter(container, config=_EXACT)
    return _ADAPTERS[type_]


def to_json(value: object) -> str:
    """Writes a frozen domain dataclass as one line of JSON.

    Raises: StoreError if the text would not read back as the same value (NaN, a wrong type inside).
    """
    type_ = type(value)
    try:
        text = _adapter(type_).dump_json((value,), warnings="error").decode()[1:-1]
    except PydanticSerializationError:
        # The original names the value, which may be identity.
        raise StoreError(f"{type_.__name__} holds a value of a wrong type") from None
    if from_json(type_, text) != value:
        raise StoreError(f"{type_.__name__} does not survive being written")
    return text


def from_json(type_: type[T], text: str) -> T:
    """Reads back what `to_json` wrote.

    Raises: StoreError for text that is not JSON, an unknown or missing key, a value of another
        type. The message names places and faults, never a value, since values may be identity.
    """
    try:
        return cast(T, _adapter(type_).validate_json(f"[{text}]")[0])
    except ValidationError as error:
        faults = "; ".join(
            f"{'.'.join(str(part) for part in fault['loc'][1:])}: {fault['type']}"
            for fault in error.errors(include_input=False, include_url=False)[:5]
        )
        raise StoreError(f"not a {type_.__name__}: {faults}") from None
