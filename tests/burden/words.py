"""The words of the page that no figure changes."""

from typing import Final

METHOD: Final = """## The question

An alarm that comes for nothing is the first step to one that is ignored (hazard H12). A limit
that is wider, or a delay that is longer, calls less and finds less, and later. How much of one
for how much of the other, and where does the shipped preset lie?

## How it was done

* *Patients* come from the simulators: each shipped scenario, and drawn sessions of an hour in
  which saturation falls, breathing slows or stops, CO2 rises, cannulas and probes come off
  (`tests/burden/events.py`). For pressure, sessions of a cuff on patients who respond to the
  drug weakly and strongly.
* *Artefacts* are laid over the numbers: movement, drop-outs, single zeros, auto-zeros, talking,
  a cuff on the probe's arm; little of it in a third of the sessions, much in two thirds
  (`tests/burden/artefacts.py`).
* *Truth* is known, because it was drawn: saturation at the finger below 90 % for 10 s, breaths
  below 8 a minute for 20 s, end-tidal CO2 above 50 mmHg for 10 s, a pause between breaths of 30
  s, systolic pressure above 160 mmHg for 5 min; gaps of up to 5 s bridged. *Graver*: below 85 %,
  below 5 a minute, above 55 mmHg, a pause of 45 s, above 180 mmHg.
* *The alarm core is the real one*, with the shipped preset in which one rule was changed: its
  limit, and its delay or integral budget. The severe band of low saturation stays five points
  below the limit, at most where it is shipped. Filters that the core does not have stand before
  it: *hold* repeats the last value over blanks, so that a delay is a plain clock; *median of 5*
  smooths, and here delays the severe band too, which the product would never do; *blank zeros*
  takes a breath rate of 0 for missing. *Budget* is the core's own: the alarm comes when so many
  %·s are spent, with 3 violations in 60 s, or after 30 s.
* *Found*: the alarm stood at some time from the beginning of an episode until 15 s after its end
  (slow breathing also by the apnoea alarm). *Delay*: from the beginning of the truth, so a
  device's averaging is in it; 0 where the alarm stood before. *Needless*: an alarm that met no
  episode.
* *Intervals*: after Wilson for shares; for rates, sessions drawn again a thousand times, because
  alarms of one patient come together. All of it comes from one seed."""

READING: Final = (
    "Up is better, left is better. A line joins the limits of one delay, the black ring is where "
    "the preset lies, thin strokes are intervals. Only the line of the preset carries them; those "
    "of the others are in the CSV.\n\nOn any numbers whatever (`tests/burden/test_grid_laws.py`): "
    "a longer delay never calls more often, and never stands when a shorter one did not; a lower "
    "limit for saturation never stands when a higher one did not, but may call more often where "
    "the higher one stands through."
)

CURVES: Final = {
    "saturation-delays": "One line for each delay. Along a line the limit goes from 85 to 92 %.",
    "saturation-filters": "The same with the shipped delay and different filters.",
    "saturation-lateness": "What a longer delay costs in time. Each point is one limit.",
    "breaths": (
        "A delay counts from when the device prints the rate; the device averages four breaths "
        "before. A cannula that came off prints 0 and counts as needless here too."
    ),
    "co2": "Rises of 30 s and more; spikes of a few seconds are the artefact.",
    "pauses": (
        "From the CO2 waveform. What is needless here is a cannula that came off: to the wave it "
        "looks the same, and the core does not guess."
    ),
    "pressure": (
        "One line for each interval of the cuff. A shorter interval finds sooner and meets more "
        "wrong readings."
    ),
    "recordings": (
        "All recordings with a saturation together. Nobody marked what is true in them, most hours "
        "are one patient's, and so few recordings have intervals wider than the chart."
    ),
}

LIMITS_OF_STUDY: Final = """## What this study cannot say

* *The patients and artefacts are made up.* Their rates and shapes are ours, chosen to resemble
  what wards report, not measured. The order of points means something; a rate an hour is not a
  forecast.
* *The truth decides.* Episodes are defined by 90 % and 10 s, so a limit of 90 with a delay near
  10 s lies well by definition: a lower limit misses what was called an episode, a higher one is
  called needless for what was not. The graver episodes do not have that fault.
* *A fall that barely reaches below the limit* is averaged and rounded away by the oximeter: no rule
  finds it.
* *One rule at a time.* Alarms of other rules at the same moment are not counted, and nobody
  answers: no acknowledgement, no pause, no one who looks.
* *Averaging of the oximeter is fixed* at 8 s; a device with more needs less delay.
* *A drawn hour holds some ten events* and is far busier than a sitting. The share of needless
  alarms is therefore too small, the rate of needless alarms is not.
* The presets' reader accepts delays of 20 s at most for a medium priority; 30 s is here to show
  the curve.
* Nothing here was reviewed by a clinician, and a preset is not changed by it."""
