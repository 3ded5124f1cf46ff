"""The words every part of Vigil shares; imports nothing of ours."""
