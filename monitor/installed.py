"""Every driver there is: those of this package, and those that installed packages offer.

A package offers drivers by entry points of the group `vigil.drivers`, each naming a `Driver`. They
are loaded only when asked for by a name that is not ours. A package that cannot be loaded is named
and breaks nothing else.
"""

from importlib import metadata
from typing import Final

from drivers import registry
from drivers.contract import Driver
from monitor.model.errors import ConfigError

GROUP: Final = "vigil.drivers"
_CANNOT_LOAD: Final = (ImportError, AttributeError, SyntaxError, NameError, TypeError, ValueError)


class BrokenDriverError(ConfigError):
    """An installed package offers a driver that cannot be used; names both and the reason."""


def get_driver(name: str) -> Driver:
    """Return the driver called `name`, our own before one of another package.

    Raises:
        UnknownDriverError: no driver has this name.
        BrokenDriverError: an installed package offers it, but it cannot be used.
    """
    if name in registry.names():
        return registry.get(name)
    for point in _offered():
        if point.name == name:
            return _loaded(point)
    return registry.get(name, others=every_driver()[0])


def every_driver() -> tuple[tuple[Driver, ...], tuple[str, ...]]:
    """Return all drivers in order of name, and a sentence for each offer that is of no use."""
    drivers = {driver.name: driver for driver in registry.all_drivers()}
    complaints = []
    for point in _offered():
        try:
            driver = _loaded(point)
        except BrokenDriverError as error:
            complaints.append(str(error))
            continue
        if driver.name in drivers:
            complaints.append(f"{_who(point)}: there is a driver {driver.name!r} already")
        else:
            drivers[driver.name] = driver
    return tuple(drivers[name] for name in sorted(drivers)), tuple(complaints)


def _offered() -> list[metadata.EntryPoint]:
    return sorted(metadata.entry_points(group=GROUP), key=lambda point: (point.name, point.value))


def _who(point: metadata.EntryPoint) -> str:
    package = point.dist.name if point.dist is not None else "a package"
    return f"entry point {point.name!r} = {point.value!r} of {package}"


def _loaded(point: metadata.EntryPoint) -> Driver:
    try:
        driver = point.load()
    except _CANNOT_LOAD as error:
        reason = f"{type(error).__name__}: {error}"
        raise BrokenDriverError(f"{_who(point)} cannot be loaded: {reason}") from error
    if not isinstance(driver, Driver):
        raise BrokenDriverError(f"{_who(point)} is no drivers.contract.Driver")
    if driver.name != point.name:
        raise BrokenDriverError(f"{_who(point)} declares the name {driver.name!r}")
    return driver
