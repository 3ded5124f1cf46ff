"""Our own observations and alarms, sent in HL7."""
