"""What holds for the records of this core: who may change them, and how they are written down."""

import msgspec


def every(record: object) -> list[msgspec.Struct]:
    """Return a record and all records within it."""
    if isinstance(record, msgspec.Struct):
        inner = [getattr(record, each) for each in record.__struct_fields__]
        return [record, *(found for each in inner for found in every(each))]
    if isinstance(record, dict):
        return [found for each in record.values() for found in every(each)]
    if isinstance(record, tuple | list):
        return [found for each in record for found in every(each)]
    return []


def is_frozen(record: msgspec.Struct) -> bool:
    """Say whether nobody can change a field."""
    name = record.__struct_fields__[0]
    try:
        setattr(record, name, getattr(record, name))
    except AttributeError:
        return True
    return False


def is_named(record: msgspec.Struct) -> bool:
    """Say whether its fields are given by name only: nobody takes one for its neighbour."""
    values = [getattr(record, each) for each in record.__struct_fields__]
    try:
        type(record)(*values)
    except TypeError:
        return True
    return False
