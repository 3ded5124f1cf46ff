"""Which drivers there are. Adding a file to `drivers/devices/` is all it takes to be found.

Drivers that other packages offer (the entry point group `vigil.drivers`) are looked up by the
shell, because reading package metadata touches files and dates; it passes them as `others`.
"""

from collections.abc import Iterable
from difflib import get_close_matches
from importlib import import_module
from pkgutil import iter_modules

from drivers import devices
from drivers.contract import Driver
from monitor.model.errors import ConfigError


class UnknownDriverError(ConfigError):
    """There is no driver of that name; the message offers those that sound like it."""


def names() -> tuple[str, ...]:
    """Return the names of the drivers in this package, in order; imports none of them."""
    return tuple(sorted(module.name for module in iter_modules(devices.__path__)))


def get(name: str, others: Iterable[Driver] = ()) -> Driver:
    """Return the driver called `name`, imported when first asked for.

    Raises:
        UnknownDriverError: no driver has this name.
    """
    known = names()
    if name in known:
        driver = import_module(f"{devices.__name__}.{name}").DRIVER
        assert isinstance(driver, Driver), f"drivers/devices/{name}.py must end in DRIVER"
        assert driver.name == name, f"drivers/devices/{name}.py declares {driver.name!r}"
        return driver
    from_elsewhere = {driver.name: driver for driver in others}
    if name in from_elsewhere:
        return from_elsewhere[name]
    everything = sorted({*known, *from_elsewhere})
    near = get_close_matches(name.lower(), everything)
    offer = f"did you mean {' or '.join(near)}?" if near else f"known: {', '.join(everything)}"
    raise UnknownDriverError(f"no driver {name!r}; {offer}")


def all_drivers() -> tuple[Driver, ...]:
    """Return every driver of this package, in order of name."""
    return tuple(get(name) for name in names())
