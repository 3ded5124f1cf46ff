"""Which present condition explains another, whose signal is then not given.

A lost link explains that its metrics stopped; a sensor that is off explains what it measured. A
cause never explains what is more urgent than itself, nor anything about the patient: no
physiological condition is subsumed. What is subsumed is still recorded and shown, with its cause.
"""

import msgspec

from alarms.names import CO2_CHANNEL, OXIMETER, Identity, link_alarm, no_data_alarm
from monitor.model.alarm import Kind
from monitor.model.event import NoticeKind
from monitor.model.metric import Metric

EXPLAINED_BY_NOTICE: dict[NoticeKind, tuple[Metric, ...]] = {
    NoticeKind.SENSOR_OFF: OXIMETER,
    NoticeKind.SENSOR_FAULT: OXIMETER,
    NoticeKind.SAMPLE_LINE_OFF: CO2_CHANNEL,
    NoticeKind.OCCLUSION: CO2_CHANNEL,
    NoticeKind.CO2_FAULT: CO2_CHANNEL,
}


class Causes(msgspec.Struct, kw_only=True):
    """What could explain what. `links` holds the metrics each link was giving when it was lost."""

    links: dict[str, tuple[Metric, ...]] = {}

    def lose(self, link: str, metrics: tuple[Metric, ...]) -> None:
        """Note what a lost link was giving; nothing named keeps what was known of it."""
        if metrics or link not in self.links:
            self.links[link] = metrics

    def of(self, identity: Identity) -> list[str]:
        """Return the names of conditions that would explain this one if they stood, best first."""
        metric = identity.metric
        if identity.kind is Kind.PHYSIOLOGICAL or metric is None:
            return []
        if identity.alarm != no_data_alarm(metric):
            return []
        by_link = [link_alarm(link) for link, metrics in self.links.items() if metric in metrics]
        by_notice = [
            notice.value for notice, metrics in EXPLAINED_BY_NOTICE.items() if metric in metrics
        ]
        return by_link + by_notice
