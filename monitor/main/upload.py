"""The upload of a site's records, as its configuration asks for it."""

import random
from collections.abc import Callable, Coroutine, Sequence

from monitor.config import Config, secret
from monitor.model.entry import SelfCheck
from monitor.model.snapshot import StoreSnapshot
from monitor.runtime.chair import Chair
from monitor.store.influx import Api, Influx, Target
from monitor.store.spool import Spool
from monitor.store.uploader import Drain, Uploader


def make_influx(config: Config) -> Influx | None:
    """Return a connection to the site's InfluxDB; None if there is none.

    Raises:
        ConfigError: a secret is missing.
    """
    wanted = config.influx
    if wanted is None:
        return None
    return Influx(
        Target(
            url=wanted.url,
            bucket=wanted.bucket,
            org=wanted.org,
            api=Api(wanted.api),
            token=secret(wanted.token_env, "[influx], key token_env") or "",
            username=wanted.username,
            password=secret(wanted.password_env, "[influx], key password_env") or "",
        )
    )


def open_uploaders(
    config: Config, chairs: Sequence[Chair], chance: random.Random
) -> list[Coroutine[None, None, None]]:
    """Return what keeps InfluxDB in step with each chair's record; nothing without [influx].

    Raises:
        ConfigError: a secret is missing.
    """
    running = []
    for chair in chairs:
        chair.store_state = _store_state(chair, None)
        influx = make_influx(config)
        if influx is not None:
            uploader = Uploader(
                Drain(Spool(chair.record.path), influx),
                chance=chance,
                now=chair.clock.now,
                report=_report_to(chair),
            )
            chair.store_state = _store_state(chair, uploader)
            running.append(uploader.run())
    return running


def _report_to(chair: Chair) -> Callable[[SelfCheck], None]:
    return lambda check: chair.check_self(check.part, check.reason, is_well=check.is_well)


def _store_state(chair: Chair, uploader: Uploader | None) -> Callable[[], StoreSnapshot]:
    def state() -> StoreSnapshot:
        return StoreSnapshot(
            record_is_well=chair.disk_is_well,
            entries=chair.record.last_seq,
            influx="off" if uploader is None else uploader.state,
            waiting=0 if uploader is None else uploader.waiting,
            reason="" if uploader is None else uploader.reason,
        )

    return state
