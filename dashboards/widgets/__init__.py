"""Views to cells; no arithmetic about the patient."""
